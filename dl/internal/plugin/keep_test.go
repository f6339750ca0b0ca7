//go:build cgo && (linux || darwin)

package plugin_test

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/plugin"
)

// TestKeep: a program that was compiled once is loaded the next time, and computes the same; a file
// that holds no program, though its checksum is right, is compiled anew.
func TestKeep(t *testing.T) {
	if err := device.Use("cpu"); err != nil {
		t.Skip("no XLA: ", err)
	}
	d, err := device.Current()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	d.Loaded.Keep(plugin.NewStore(dir, "test", 1<<20))
	t.Cleanup(func() { d.Loaded.Keep(nil) })
	in := tensors.FromFlatDataAndDimensions([]float32{1, 2, 3, 4}, 2, 2)
	compute := func() []float32 {
		program, err := engine.Function(d, square(3), []*tensors.Tensor{in})
		if err != nil {
			t.Fatal(err)
		}
		out, err := program.Call([]*tensors.Tensor{in})
		if err != nil {
			t.Fatal(err)
		}
		return tensors.MustCopyFlatData[float32](out[0])
	}
	files := func() []string {
		found, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	want := compute()
	first := files()
	if len(first) != 1 {
		t.Fatalf("expected one program to be kept, got %v", first)
	}
	content, err := os.ReadFile(first[0])
	if err != nil {
		t.Fatal(err)
	}
	// A mark that only loading leaves in place: compiling writes the file anew.
	before, err := os.Stat(first[0])
	if err != nil {
		t.Fatal(err)
	}
	if got := compute(); !slices.Equal(got, want) {
		t.Errorf("loaded: expected %v, got %v", want, got)
	}
	after, err := os.Stat(first[0])
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, after) {
		t.Error("expected the program to be loaded, it was compiled")
	}
	junk := []byte("no program")
	sum := sha256.Sum256(junk)
	if err := os.WriteFile(first[0], append(sum[:], junk...), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := compute(); !slices.Equal(got, want) {
		t.Errorf("compiled anew: expected %v, got %v", want, got)
	}
	if again, err := os.ReadFile(first[0]); err != nil || len(again) < len(content)/2 {
		t.Errorf("expected the program to be kept again, got %d bytes, %v", len(again), err)
	}
}
