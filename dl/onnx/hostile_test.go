package onnx_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/onnx"
	"github.com/gradbook/gradbook/dl/onnx/internal/translate"
	"github.com/gradbook/gradbook/dl/tensor"
)

// TestFaultyFiles: a file that asks for what cannot be is an error that says which node,
// and nothing is allocated for it.
func TestFaultyFiles(t *testing.T) {
	wants := map[string][]string{
		"cosint":    {"ConstantOfShape", "64.0 GiB"},
		"flat":      {"Flatten", "axis of 2", "9"},
		"gatheroob": {"Gather", "axis of 2", "99"},
		"poolnowin": {"MaxPool", "window of 2 axes"},
		"resizebig": {"Resize", "not possible"},
		"split0":    {"Split", "at least one output"},
	}
	for name, words := range wants {
		path := filepath.Join("testdata", "files", name+".onnx")
		err := try(path)
		if err == nil {
			t.Errorf("%s: expected an error", name)
			continue
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: expected %q in: %v", name, w, err)
			}
		}
		if _, err := onnx.Load(path); err == nil || !errors.As(err, new(*dl.FormatError)) {
			t.Errorf("%s: expected a *dl.FormatError of Load, got %v", name, err)
		}
	}
}

// try opens and runs a file with ones, open axes being 2.
func try(path string) error {
	s, err := onnx.Open(path)
	if err != nil {
		return err
	}
	in := make(map[string]*tensor.Tensor)
	for _, v := range s.Inputs() {
		dims, size := v.Dims, 1
		for i, d := range dims {
			if d < 0 {
				dims[i] = 2
			}
			if size *= dims[i]; size > 1<<16 {
				return nil
			}
		}
		switch v.DType {
		case tensor.Float32:
			in[v.Name] = tensor.New(ones[float32](size), dims...)
		case tensor.Int64:
			in[v.Name] = tensor.New(ones[int64](size), dims...)
		default:
			return nil
		}
	}
	_, err = s.Run(in)
	return err
}

func ones[T float32 | int64](n int) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = 1
	}
	return all
}

// TestBatchOfOthers: a graph that takes some rows of a batch is no model of a batch, and a
// session computes it as it says.
func TestBatchOfOthers(t *testing.T) {
	path := filepath.Join("testdata", "files", "slice3.onnx")
	if _, err := onnx.Load(path); err == nil || !strings.Contains(err.Error(), "onnx.Open") {
		t.Errorf("expected an error that names onnx.Open, got %v", err)
	}
	s, err := onnx.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Run(map[string]*tensor.Tensor{"x": tensor.New(ones[float32](14), 7, 2)})
	if err != nil {
		t.Fatal(err)
	}
	if got := out["y"].Shape().Dimensions[0]; got != 3 {
		t.Errorf("expected 3 rows, got %d", got)
	}
}

// FuzzOpen: whatever a file has in it, Open and Run return, with an error or without.
func FuzzOpen(f *testing.F) {
	paths, err := filepath.Glob(filepath.Join("testdata", "files", "*.onnx"))
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	before := translate.Memory // of which XLA would take its time to fill half
	translate.Memory = func() uint64 { return 128 << 20 }
	f.Cleanup(func() { translate.Memory = before })
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "x.onnx")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_ = try(path)
		_, _ = onnx.Load(path)
	})
}
