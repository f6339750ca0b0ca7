package dl

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// TestSeveralDevices trains on one CPU device and on several: the losses are the same
// but for rounding, also with dropout, statistics of the batch, a recurrence, and a
// last batch that cannot be divided.
func TestSeveralDevices(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute; make check")
	}
	defer func() {
		if err := UseDevice(""); err != nil {
			t.Fatal(err)
		}
	}()
	train := func(device string) []float64 {
		if err := UseDevice(device); err != nil {
			t.Fatal(err)
		}
		SetRandomSeed(3)
		m, err := Sequential(
			layers.Input{Shape: layers.Shape{4, 3}},
			layers.LSTM{Units: 8, ReturnSequences: true},
			layers.BatchNormalization{},
			layers.Dropout{Rate: 0.2},
			layers.GRU{Units: 6},
			layers.Dense{Units: 3, Activation: activations.Softmax},
		)
		if err != nil {
			t.Fatal(err)
		}
		err = m.Compile(CompileConfig{Optimizer: optimizers.SGD{LearningRate: 0.1, Momentum: 0.9}, Loss: losses.SparseCategoricalCrossentropy{}, Metrics: []metrics.Metric{metrics.Accuracy{}}})
		if err != nil {
			t.Fatal(err)
		}
		x, y := make([]float32, 90*12), make([]int32, 90)
		for i := range x {
			x[i] = float32(math.Sin(float64(i * i)))
		}
		for i := range y {
			y[i] = int32(i % 3)
		}
		ds, err := data.FromFlat(x, []int{4, 3}, y, nil)
		if err != nil {
			t.Fatal(err)
		}
		h, err := m.Fit(t.Context(), ds, FitConfig{Epochs: 3, BatchSize: 16, ValidationSplit: 0.2, Silent: true})
		if err != nil {
			t.Fatal(err)
		}
		return append(h.Metrics["loss"], h.Metrics["val_loss"]...)
	}
	want := train("cpu")
	for _, device := range []string{"cpu:0,1", "cpu:3,1,0,2"} {
		got := train(device)
		for i := range want {
			if math.Abs(got[i]-want[i]) > 2e-5*math.Max(1, want[i]) {
				t.Errorf("%s: loss %d: expected %v, got %v", device, i, want[i], got[i])
			}
		}
	}
}

// TestWorkIsDivided looks at the program that XLA makes for two devices: equal losses
// do not show that each does a part of the work.
func TestWorkIsDivided(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds; make check")
	}
	if dir := os.Getenv("GRADBOOK_DUMP"); dir != "" {
		if err := UseDevice("cpu:0,1"); err != nil {
			t.Fatal(err)
		}
		ds := spiral(t)
		if _, err := learner(t).Fit(t.Context(), ds, FitConfig{Silent: true}); err != nil {
			t.Fatal(err)
		}
		return
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=TestWorkIsDivided")
	cmd.Env = append(os.Environ(), "GRADBOOK_DUMP="+dir, "XLA_FLAGS=--xla_dump_to="+dir+" --xla_dump_hlo_as_text")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*after_optimizations.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		s := string(text)
		if strings.Contains(s, "num_partitions=2") && strings.Contains(s, "all-reduce") && strings.Contains(s, fmt.Sprintf("f32[%d,16]", 8)) {
			return // batches of 16, 8 for each
		}
	}
	t.Errorf("expected a program for 2 devices that adds up gradients of 8 examples each, got none of %d", len(files))
}

func TestDeviceNames(t *testing.T) {
	for spec, want := range map[string]string{"cpu:0,0": "numbers", "cpu:": "numbers", "cpu:9": "cpu:0 to cpu:3", "cpu:0,-1": "numbers", "tpu": "cuda:all"} {
		wantError(t, UseDevice(spec), want)
	}
}
