package dl

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/hdf5"
	"github.com/gradbook/gradbook/dl/internal/kerastest"
)

var kerasFiles = []string{"document", "lstm", "skip", "nested", "table"}

// predictions are the model's outputs for an array.
func predictions(t testing.TB, m *Model, x *tensors.Tensor) []*tensors.Tensor {
	t.Helper()
	ds, err := data.New(x, nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := m.PredictAll(t.Context(), ds)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestKerasFiles reads models that Keras saved: they predict what they predict there,
// and so do their copies that are saved and loaded here.
func TestKerasFiles(t *testing.T) {
	f := kerastest.Load(t, "keras.npz")
	for _, name := range kerasFiles {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name+".keras")
			m, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			compare := func(what string, m *Model) {
				t.Helper()
				for i, y := range predictions(t, m, f.Get(t, name+".x")) {
					kerastest.Close(t, fmt.Sprintf("%s: output %d", what, i), y, f.Get(t, fmt.Sprintf("%s.y%d", name, i)), 1e-5)
				}
			}
			compare("loaded", m)
			own := filepath.Join(t.TempDir(), "model.safetensors")
			if err := m.Save(own); err != nil {
				t.Fatal(err)
			}
			again, err := Load(own)
			if err != nil {
				t.Fatal(err)
			}
			compare("saved and loaded", again)
			if a, b := m.Summary(), again.Summary(); a != b {
				t.Errorf("expected the same summary\n%s\ngot\n%s", a, b)
			}
			clone, err := m.Clone()
			if err != nil {
				t.Fatal(err)
			}
			if err := clone.LoadWeights(own); err != nil {
				t.Fatal(err)
			}
			compare("weights loaded", clone)
			if err := clone.LoadWeights(path); err != nil {
				t.Fatal(err)
			}
			compare("Keras's weights loaded", clone)
		})
	}
}

// TestKerasCompiled: a file says how its model is compiled.
func TestKerasCompiled(t *testing.T) {
	m, err := Load(filepath.Join("testdata", "lstm.keras"))
	if err != nil {
		t.Fatal(err)
	}
	c, _ := m.m.Config()
	got := fmt.Sprintf("%+v", c)
	for _, want := range []string{"DecaySteps:100", "SparseCategoricalCrossentropy", "Accuracy", "K:2"} {
		if !strings.Contains(fmt.Sprintf("%T %T %s", c.Optimizer, c.Loss, got)+fmt.Sprintf("%T", c.Metrics[0]), want) {
			t.Errorf("expected it to say %s, got %s", want, got)
		}
	}
	x := [][]float32{{1, 2, 3, 0, 0, 0}, {4, 5, 6, 7, 8, 9}}
	ds, err := data.FromSlices(x, []int32{0, 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Fit(t.Context(), ds, FitConfig{Silent: true}); err != nil {
		t.Error(err)
	}
}

// TestDamagedKerasFiles: whatever is wrong with a file is an error, and no panic.
func TestDamagedKerasFiles(t *testing.T) {
	path := filepath.Join("testdata", "skip.keras")
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	r, err := z.Open("model.weights.h5")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	if _, err := hdf5.Read(whole); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(whole); n += 97 {
		if _, err := hdf5.Read(whole[:n]); err == nil && n < len(whole)/2 {
			t.Errorf("cut off after %d of %d bytes: expected an error, got none", n, len(whole))
		}
		damaged := bytes.Clone(whole)
		for i := n; i < min(n+8, len(damaged)); i++ {
			damaged[i] ^= 0xff
		}
		_, _ = hdf5.Read(damaged) // must end, with an error or not
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.keras")
	if err := os.WriteFile(cut, text[:len(text)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Load(cut)
	wantError(t, err, "cut.keras", ".keras file")
}

// TestLyingFiles: a small file that speaks of much costs little.
func TestLyingFiles(t *testing.T) {
	rewrite := func(change func(name string, part []byte) []byte) string {
		t.Helper()
		z, err := zip.OpenReader(filepath.Join("testdata", "operations", "scaled.keras"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = z.Close() }()
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			part, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			out, err := w.Create(f.Name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := out.Write(change(f.Name, part)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "x.keras")
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		change func(name string, part []byte) []byte
		want   string
	}{
		"a billion units": {func(name string, part []byte) []byte {
			if name != "config.json" {
				return part
			}
			return bytes.Replace(part, []byte(`"units": 4`), []byte(`"units": 1000000000`), 1)
		}, "numbers"},
		"an architecture of blanks": {func(name string, part []byte) []byte {
			if name != "config.json" {
				return part
			}
			return append(part, bytes.Repeat([]byte(" "), 100<<20)...)
		}, "times what it has"},
		"weights of zeros": {func(name string, part []byte) []byte {
			if name != "model.weights.h5" {
				return part
			}
			return append(part, make([]byte, 100<<20)...)
		}, "times what it has"},
	} {
		path := rewrite(c.change)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Load(path)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: expected an error with %q, got %v", name, c.want, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 32<<20 {
			t.Errorf("%s: it took %d bytes", name, n)
		}
	}
}
