package notebook_test

import (
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/pjrt"
	"github.com/gradbook/gradbook/dl/pjrt/pjrttest"
)

// TestGPUFails: a notebook that trains runs on the CPU, and says why, whatever is wrong
// with the plugin for the GPU; also where that ends the program which opens it.
func TestGPUFails(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts kernels that fail; make check")
	}
	if pjrt.HasGPU() {
		t.Skip("there is a GPU")
	}
	path := write(t, `x := 41`, `import (
	"context"
	"fmt"
	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
)

model, err := dl.Sequential(
	layers.Input{Shape: layers.Shape{2}},
	layers.Dense{Units: 8, Activation: activations.Tanh},
	layers.Dense{Units: 1, Activation: activations.Sigmoid},
)
model.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{LearningRate: 0.1}, Loss: losses.BinaryCrossentropy{}})
xor, err := data.FromSlices([][]float32{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, [][]float32{{0}, {1}, {1}, {0}})
model.Fit(context.Background(), xor, dl.FitConfig{Epochs: 200, Silent: true})`,
		`device, err := dl.Device()
loss, err := model.Evaluate(context.Background(), xor)
fmt.Println("computed on", device.Kind, loss["loss"] < 0.1, x+1)`)
	for what, want := range pjrttest.Says {
		t.Run(string(what), func(t *testing.T) {
			t.Setenv(pjrt.PathEnv, pjrttest.CUDA(t, what))
			_, log, err := run(t, path)
			if err != nil {
				t.Fatalf("%v\n%s", err, log)
			}
			for _, part := range []string{"dl: the GPU cannot be used", want, "computing on the CPU", "computed on cpu true 42"} {
				if !strings.Contains(log, part) {
					t.Errorf("expected %q in what the notebook says, got\n%s", part, log)
				}
			}
			if strings.Contains(log, "forgotten") || strings.Contains(log, "lost") {
				t.Errorf("the session ended:\n%s", log)
			}
		})
	}
}
