package dl

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
)

// TestTypedErrors: errors.As finds what went wrong, and the message says it whole.
func TestTypedErrors(t *testing.T) {
	open := must(Sequential(layers.Dense{Units: 2}))(t)
	built := must(Sequential(layers.Input{Shape: layers.Shape{3}}, layers.Dense{Units: 2, Name: "out"}))(t)
	three := must(data.FromSlices([][]float32{{1, 2, 3}}, []int32{0}))(t)
	four := must(data.FromSlices([][]float32{{1, 2, 3, 4}}, nil))(t)
	path := filepath.Join(t.TempDir(), "m.safetensors")

	var notBuilt *NotBuiltError
	_, err := open.Weights()
	if !errors.As(err, &notBuilt) || notBuilt.Model != "sequential" || !errors.As(open.Save(path), &notBuilt) || !errors.As(open.LoadWeights(path), &notBuilt) {
		t.Errorf("expected a NotBuiltError, got %v", err)
	}
	if _, err := open.Clone(); !errors.As(err, &notBuilt) {
		t.Errorf("expected a NotBuiltError, got %v", err)
	}
	var notCompiled *NotCompiledError
	_, err = built.Evaluate(t.Context(), three)
	if !errors.As(err, &notCompiled) || notCompiled.Doing != "evaluate" {
		t.Errorf("expected a NotCompiledError, got %v", err)
	}
	var shape *ShapeError
	_, err = built.Predict(t.Context(), four)
	if !errors.As(err, &shape) || shape.Layer != "out" || !shape.Expected.Equal(layers.Shape{3}) || !shape.Got.Equal(layers.Shape{4}) {
		t.Errorf("expected a ShapeError, got %v", err)
	}
	_, err = Sequential(layers.Input{Shape: layers.Shape{3}}, layers.Conv2D{Filters: 1, KernelSize: [2]int{1, 1}, Name: "conv"})
	if !errors.As(err, &shape) || shape.Layer != "conv" || !shape.Got.Equal(layers.Shape{3}) || !strings.Contains(err.Error(), `layer "conv" (Conv2D): expected input of shape`) {
		t.Errorf("expected a ShapeError, got %v", err)
	}
	if err := Apply(layers.MaxPooling2D{}, Input(layers.Shape{5})).Err(); !errors.As(err, &shape) {
		t.Errorf("expected a ShapeError of a symbol, got %v", err)
	}
	var format *FormatError
	if err := os.WriteFile(path, []byte("nothing of the kind"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Load(path)
	if !errors.As(err, &format) || format.Path != path {
		t.Errorf("expected a FormatError, got %v", err)
	}
	if err := built.SaveWeights(path); err != nil {
		t.Fatal(err)
	}
	other := must(Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 2, Name: "out"}))(t)
	if err := other.LoadWeights(path); !errors.As(err, &format) {
		t.Errorf("expected a FormatError, got %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) || errors.As(err, &format) {
		t.Errorf("expected that there is no such file, got %v", err)
	}
	if err := built.Compile(CompileConfig{Loss: losses.SparseCategoricalCrossentropy{}}); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := built.Evaluate(gone, three); !errors.Is(err, context.Canceled) {
		t.Errorf("expected the context's error, got %v", err)
	}
}
