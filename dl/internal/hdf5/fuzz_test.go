package hdf5_test

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/gradbook/gradbook/dl/internal/hdf5"
)

// FuzzRead: whatever a file has in it, what comes of it are tensors whose shapes fit their
// numbers, and not more of them than the file has bytes for, or an error.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "*.keras"))
	if err != nil || len(files) == 0 {
		f.Fatalf("expected files, got %v, %v", files, err)
	}
	for _, path := range files {
		if info, err := os.Stat(path); err != nil || info.Size() > 40_000 {
			continue
		}
		z, err := zip.OpenReader(path)
		if err != nil {
			f.Fatal(err)
		}
		r, err := z.Open("model.weights.h5")
		if err != nil {
			f.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
		_ = z.Close()
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := hdf5.Read(text)
		if err != nil {
			return
		}
		for name, d := range all {
			size := 1
			for _, n := range d.Shape {
				size *= n
			}
			if size != len(d.Values) {
				t.Errorf("%s: shape %v, %d numbers", name, d.Shape, len(d.Values))
			}
		}
	})
}
