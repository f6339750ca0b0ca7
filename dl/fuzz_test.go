package dl

import (
	"archive/zip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// FuzzKeras: whatever the configuration in a .keras file says, what comes of it is a model or
// an error.
func FuzzKeras(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.keras"))
	if err != nil || len(files) == 0 {
		f.Fatalf("expected files, got %v, %v", files, err)
	}
	part := func(path, name string) []byte {
		z, err := zip.OpenReader(path)
		if err != nil {
			f.Fatal(err)
		}
		defer func() { _ = z.Close() }()
		r, err := z.Open(name)
		if err != nil {
			f.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			f.Fatal(err)
		}
		return text
	}
	var weights [][]byte
	for _, path := range files {
		if info, err := os.Stat(path); err != nil || info.Size() > 100_000 {
			continue
		}
		f.Add(part(path, "config.json"), len(weights))
		weights = append(weights, part(path, "model.weights.h5"))
	}
	f.Fuzz(func(t *testing.T, config []byte, which int) {
		if which < 0 || which >= len(weights) {
			return
		}
		path := filepath.Join(t.TempDir(), "m.keras")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		z := zip.NewWriter(file)
		write := func(name string, text []byte) error {
			w, err := z.Create(name)
			if err == nil {
				_, err = w.Write(text)
			}
			return err
		}
		if err := errors.Join(write("config.json", config), write("model.weights.h5", weights[which]), z.Close(), file.Close()); err != nil {
			t.Fatal(err)
		}
		m, err := Load(path)
		if (m == nil) == (err == nil) {
			t.Errorf("expected a model or an error, got %v, %v", m, err)
		}
	})
}
