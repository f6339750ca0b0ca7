//go:build cgo && linux

package plugin_test

import (
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/plugin"
)

// TestBlocks: what a program computes in between is in memory that is kept for the next one, no more
// of it than was used at once, and given back when nobody wants it.
func TestBlocks(t *testing.T) {
	if err := device.Use("cpu"); err != nil {
		t.Skip("no XLA: ", err)
	}
	d, err := device.Current()
	if err != nil {
		t.Fatal(err)
	}
	const side = 1500 // 9 MB
	x := make([]float32, side*side)
	for i := range x {
		x[i] = float32(i%7) / 100
	}
	in := tensors.FromFlatDataAndDimensions(x, side, side)
	program, err := engine.Function(d, square(3), []*tensors.Tensor{in})
	if err != nil {
		t.Fatal(err)
	}
	plugin.TidyBlocks(-1)
	run := func() *tensors.Tensor {
		out, err := program.Call([]*tensors.Tensor{in})
		if err != nil {
			t.Fatal(err)
		}
		return out[0]
	}
	first := run()
	_, after := plugin.Blocks()
	if after < 4*side*side {
		t.Fatalf("expected memory to be kept after a program, got %d bytes; does the plugin take it some other way?", after)
	}
	for range 5 {
		if got := run(); !got.Equal(first) {
			t.Fatal("expected the same numbers in memory that was used before")
		}
	}
	if _, again := plugin.Blocks(); again > 2*after {
		t.Errorf("expected memory to be used again, got %d bytes after one program and %d after six", after, again)
	}
	plugin.TidyBlocks(3600)
	if _, kept := plugin.Blocks(); kept == 0 {
		t.Error("expected what was used just now to be kept")
	}
	plugin.TidyBlocks(-1)
	if _, kept := plugin.Blocks(); kept != 0 {
		t.Errorf("expected nothing to be kept, got %d bytes", kept)
	}
}
