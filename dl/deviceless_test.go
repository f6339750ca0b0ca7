package dl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/plugin"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/pjrt/pjrttest"
)

// TestDeviceless looks at what CUDA's own compiler makes of steps of training, for H100s
// that need not be there: all that is donated is written over, work is divided between two
// GPUs, nothing goes through the host, which need not look when a loop ends, and sums in any
// order can be ruled out.
func TestDeviceless(t *testing.T) {
	compiler := pjrttest.NewDeviceless(t)
	fakeGPU(t)
	window := [2]int{3, 3}
	images, words := []int{28, 28, 1}, []int{12}
	cnn := []layers.Layer{
		layers.Input{Shape: images},
		layers.Conv2D{Filters: 32, KernelSize: window, Activation: activations.ReLU},
		layers.MaxPooling2D{},
		layers.Conv2D{Filters: 64, KernelSize: window, Activation: activations.ReLU},
		layers.BatchNormalization{},
		layers.Flatten{},
		layers.Dropout{Rate: 0.5},
		layers.Dense{Units: 10, Activation: activations.Softmax},
	}
	text := []layers.Layer{
		layers.Input{Shape: words},
		layers.Embedding{InputDim: 1000, OutputDim: 32},
		layers.LSTM{Units: 48},
		layers.Dense{Units: 10, Activation: activations.Softmax},
	}
	for _, c := range []struct {
		name   string
		policy string
		gpus   int
		seeded bool
		stack  []layers.Layer
		shape  []int
		want   []string
		not    []string
	}{
		{name: "convolutions", gpus: 1, stack: cnn, shape: images, want: []string{"__cudnn$conv"}},
		{name: "in 16 bits", policy: "mixed_bfloat16", gpus: 1, stack: cnn, shape: images, want: []string{"bf16["}},
		{name: "two GPUs", gpus: 2, stack: cnn, shape: images, want: []string{"num_partitions=2", "all-reduce", "f32[16,26,26,32]"}},
		{name: "words", gpus: 1, stack: text, shape: words, want: []string{" scatter(", `"known_trip_count":{"n":"12"}`}, not: []string{" sort("}},
		{name: "words, seeded", gpus: 1, seeded: true, stack: text, shape: words, want: []string{" sort(", "__cublas$lt$matmul"}, not: []string{"__triton_gemm"}},
		{name: "convolutions, seeded", gpus: 1, seeded: true, stack: cnn, shape: images, want: []string{"__cudnn$conv", "__cublas$lt$matmul"}, not: []string{"__triton_gemm"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.policy != "" {
				defer func(before string) { must(0, SetDTypePolicy(before))(t) }(DTypePolicy())
				must(0, SetDTypePolicy(c.policy))(t)
			}
			name := "cuda"
			if c.gpus == 2 {
				name = "cuda:0,1"
			}
			if err := UseDevice(name); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			t.Setenv("FAKE_PROGRAMS", dir)
			program := stepOf(t, dir, c.stack, c.shape)
			stablehlo := string(must(os.ReadFile(program))(t))
			var options []plugin.Option
			if c.seeded { // the fake's version is not one for which there are options
				options = (&device.Device{Kind: "cuda", Plugin: compiler.Plugin}).Deterministic()
			}
			hlo := compiler.Compile(program, c.gpus, options)
			donated, aliases := strings.Count(stablehlo, "jax.buffer_donor = true"), strings.Count(hlo, "may-alias")+strings.Count(hlo, "must-alias")
			if donated == 0 || aliases != donated {
				t.Errorf("expected all of %d donated inputs to be written over, got %d", donated, aliases)
			}
			for _, s := range append(c.want, "is_scheduled=true") {
				if !strings.Contains(hlo, s) {
					t.Errorf("expected %q in the program", s)
				}
			}
			for _, s := range append(c.not, "infeed", "outfeed", "S(5)") { // S(5) is the host's memory
				if strings.Contains(hlo, s) {
					t.Errorf("expected no %q in the program", s)
				}
			}
		})
	}
}

// stepOf trains a model for a step and returns the program of it, which is the longest.
func stepOf(t *testing.T, dir string, stack []layers.Layer, shape []int) (program string) {
	t.Helper()
	m := must(Sequential(stack...))(t)
	err := m.Compile(CompileConfig{Optimizer: optimizers.Adam{}, Loss: losses.SparseCategoricalCrossentropy{}})
	if err != nil {
		t.Fatal(err)
	}
	const batch = 32
	size := batch
	for _, d := range shape {
		size *= d
	}
	ds := must(data.FromFlat(make([]float32, size), shape, make([]int32, batch), nil))(t)
	if _, err := m.Fit(t.Context(), ds, FitConfig{BatchSize: batch, Silent: true}); err != nil {
		t.Fatal(err)
	}
	var longest int64
	for _, path := range must(filepath.Glob(filepath.Join(dir, "*.mlir")))(t) {
		if info := must(os.Stat(path))(t); info.Size() > longest {
			program, longest = path, info.Size()
		}
	}
	if program == "" {
		t.Fatalf("no program in %s", dir)
	}
	return program
}
