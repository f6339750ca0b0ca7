//go:build cgo && linux

package plugin_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/plugin"
	"github.com/gradbook/gradbook/dl/pjrt"
	"github.com/gradbook/gradbook/dl/pjrt/pjrttest"
)

// TestHeader: the table that is replaced is the one that go-xla calls.
func TestHeader(t *testing.T) {
	ours, err := os.ReadFile("pjrt_c_api.h")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/gomlx/go-xla").Output()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "pjrt", "pjrt_c_api.h"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ours, theirs) {
		t.Error("expected go-xla's own pjrt_c_api.h, got another; copy it anew")
	}
}

// TestAhead: a program that is executed ahead is not done when it returns; its results can be
// the next one's inputs, and reading them waits.
func TestAhead(t *testing.T) {
	// A CPU computes in the caller's thread, so that there is nothing to be ahead of; in the
	// guise of a GPU it does not.
	t.Setenv(pjrt.PathEnv, pjrttest.CUDA(t, pjrttest.StepOutOfMemory))
	if err := device.Use("cuda"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := device.Use(""); err != nil {
			t.Error(err)
		}
	})
	d, err := device.Current()
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 600*600)
	for i := range x {
		x[i] = float32(i%7) / 10
	}
	in := tensors.FromFlatDataAndDimensions(x, 600, 600)
	program, err := engine.Function(d, square(10), []*tensors.Tensor{in})
	if err != nil {
		t.Fatal(err)
	}
	want, err := program.Call([]*tensors.Tensor{in})
	if err != nil {
		t.Fatal(err)
	}
	var got []*tensors.Tensor
	pending, err := d.Loaded.Ahead(func() (err error) {
		got, err = program.Call([]*tensors.Tensor{in})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if pending.Done() {
		t.Error("expected a program of ten large products to be under way, got one that is done")
	}
	if err := pending.Wait(); err != nil || !pending.Done() {
		t.Errorf("expected it to be done, got %v", err)
	}
	if !got[0].Equal(want[0]) {
		t.Error("expected the same numbers as of a program that is waited for")
	}
}

// TestAheadPanics: the thread waits again afterwards.
func TestAheadPanics(t *testing.T) {
	d, err := device.Current()
	if err != nil || d.Loaded == nil {
		t.Skip("no XLA", err)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = d.Loaded.Ahead(func() error { panic("f") })
	}()
	pending, err := d.Loaded.Ahead(func() error { return nil })
	if err != nil || !pending.Done() || pending.Wait() != nil {
		t.Errorf("expected nothing to be under way, got %v, %v", pending, err)
	}
}

// TestOptions: a program's own options stand behind those of all.
func TestOptions(t *testing.T) {
	if pjrt.HasGPU() {
		t.Skip("there is a GPU")
	}
	t.Setenv(pjrt.PathEnv, pjrttest.CUDA(t, pjrttest.Works))
	if err := device.Use("cuda"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := device.Use(""); err != nil {
			t.Error(err)
		}
	}()
	d, err := device.Current()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Setenv("FAKE_PROGRAMS", dir)
	compile := func() {
		if _, err := engine.Function(d, square(1), []*tensors.Tensor{tensors.FromFlatDataAndDimensions(make([]float32, 4), 2, 2)}); err != nil {
			t.Fatal(err)
		}
	}
	read := func(n string) string {
		text, err := os.ReadFile(filepath.Join(dir, n+".options"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	compile()
	err = plugin.With([]plugin.Option{{Name: "xla_gpu_first", Value: true}, {Name: "xla_gpu_second", Value: 0}, {Name: "xla_gpu_third", Value: false}}, func() error {
		compile()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	compile()
	plain, with, after := read("1"), read("2"), read("3")
	// As protoc writes them: field 7, of key and value, which is a bool in field 2 or a number in 3.
	want := plain + ":\x13\n\rxla_gpu_first\x12\x02\x10\x01" + ":\x14\n\x0exla_gpu_second\x12\x02\x18\x00" + ":\x13\n\rxla_gpu_third\x12\x02\x10\x00"
	if with != want || after != plain {
		t.Errorf("expected %q, got %q, and afterwards %q", want, with, after)
	}
}
