package dl

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/kerastest"
	"github.com/gradbook/gradbook/dl/layers"
)

// TestOperationFiles reads models whose files have functions of keras.ops, masks that are given
// to calls, axes that are left open, and layers of all kinds: they predict what Keras predicts,
// and so do their copies that are saved and loaded here, and their weights read alone.
func TestOperationFiles(t *testing.T) {
	f := kerastest.Load(t, "operations.npz")
	paths, err := filepath.Glob(filepath.Join("testdata", "operations", "*.keras"))
	if err != nil || len(paths) < 25 {
		t.Fatalf("expected the models that operations.py writes, got %d, %v", len(paths), err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".keras")
		if name == "int8" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			var c LoadConfig
			if name == "open_axes" {
				if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "LoadConfig") {
					t.Fatalf("expected an error that names LoadConfig, got %v", err)
				}
				c.Shapes = map[string]layers.Shape{"image": {8, 9, 3}}
			}
			m, err := Load(path, c)
			if err != nil {
				t.Fatal(err)
			}
			compare := func(what string, m *Model) {
				t.Helper()
				kerastest.Close(t, what, predictedAll(t, m, f.Numbered(t, name+".x")), f.Get(t, name+".y"), 1e-5)
			}
			compare("loaded", m)
			if err := m.LoadWeights(path); err != nil {
				t.Fatal(err)
			}
			compare("weights alone", m)
			own := filepath.Join(t.TempDir(), "model.safetensors")
			if err := m.Save(own); err != nil {
				t.Fatal(err)
			}
			again, err := Load(own)
			if err != nil {
				t.Fatal(err)
			}
			compare("loaded again", again)
			clone, err := m.Clone()
			if err != nil {
				t.Fatal(err)
			}
			if err := clone.LoadWeights(own); err != nil {
				t.Fatal(err)
			}
			compare("a copy", clone)
		})
	}
}

// predictedAll is the output of a model of one, for several inputs.
func predictedAll(t *testing.T, m *Model, in []*tensors.Tensor) *tensors.Tensor {
	t.Helper()
	var parts []*data.Dataset
	for _, x := range in {
		ds, err := data.New(x, nil)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, ds)
	}
	y, err := m.Predict(t.Context(), data.Zip(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return y
}

// TestQuantizedFile: what Keras has quantised is refused by name.
func TestQuantizedFile(t *testing.T) {
	_, err := Load(filepath.Join("testdata", "operations", "int8.keras"))
	if err == nil || !strings.Contains(err.Error(), "QuantizedDTypePolicy") || !strings.Contains(err.Error(), `"dense"`) {
		t.Errorf("expected an error that names the layer and QuantizedDTypePolicy, got %v", err)
	}
}

// TestWeightsFile reads what Keras's save_weights writes.
func TestWeightsFile(t *testing.T) {
	f := kerastest.Load(t, "operations.npz")
	m, err := Load(filepath.Join("testdata", "operations", "grouped.keras"))
	if err != nil {
		t.Fatal(err)
	}
	weights, err := m.Weights()
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range weights { // others, so that the file has something to do
		weights[i] = tensors.FromShape(w.Shape())
	}
	if err := m.SetWeights(weights); err != nil {
		t.Fatal(err)
	}
	if err := m.LoadWeights(filepath.Join("testdata", "operations", "grouped.weights.h5")); err != nil {
		t.Fatal(err)
	}
	kerastest.Close(t, "predicted", predictedAll(t, m, f.Numbered(t, "grouped.x")), f.Get(t, "grouped.y"), 1e-5)
}
