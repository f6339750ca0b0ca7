package dl

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/internal/kerastest"
	"github.com/gradbook/gradbook/dl/tensor"
)

// TestOlderFiles: files that dl has written in each version of its format are read, predict
// what they did, and are trained on. testdata/files has a folder a version; when the format
// changes, files of the new one are added, and none is replaced.
func TestOlderFiles(t *testing.T) {
	versions, err := filepath.Glob(filepath.Join("testdata", "files", "*"))
	if err != nil || len(versions) == 0 {
		t.Fatal("no files", err)
	}
	for _, dir := range versions {
		text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
		if err != nil {
			t.Fatal(err)
		}
		var expected map[string][]float32
		if err := json.Unmarshal(text, &expected); err != nil {
			t.Fatal(err)
		}
		for name, want := range expected {
			t.Run(filepath.Base(dir)+"/"+name, func(t *testing.T) {
				m := must(Load(filepath.Join(dir, name+".safetensors")))(t)
				shape := m.InputShape()
				values := make([]float32, 2*shape.Size())
				for i := range values {
					values[i] = float32(i%7)/7 - 0.3
				}
				x := tensor.New(values, append([]int{2}, shape...)...)
				y := must(m.PredictOnBatch(x))(t)[0]
				kerastest.Close(t, "prediction", y, tensor.New(want, y.Shape().Dimensions...), 1e-5)
				if _, compiled := m.m.Config(); compiled {
					must(m.TrainOnBatch(x, tensor.New([]int32{0, 1}, 2)))(t)
				}
				path := filepath.Join(t.TempDir(), "again.safetensors")
				if err := m.Save(path); err != nil {
					t.Fatal(err)
				}
				must(Load(path))(t)
			})
		}
	}
}

// TestNewerFile: a file of a version to come says so.
func TestNewerFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := oneLayer(t, scale{}).SaveWeights(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	newer := strings.Replace(string(text), `"version":"1"`, `"version":"9"`, 1)
	if err := os.WriteFile(path, []byte(newer), 0o600); err != nil {
		t.Fatal(err)
	}
	wantError(t, oneLayer(t, scale{}).LoadWeights(path), "newer", "9")
}
