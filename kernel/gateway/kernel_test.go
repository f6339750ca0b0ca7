package gateway

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/gradbook/gradbook/kernel/install"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

// python runs a test of Python's against the kernel that setup has installed: the
// other end of the protocol is Jupyter's own client.
func python(t *testing.T, file string, args ...string) {
	t.Helper()
	if !toolchain.Supported() {
		t.Skip("cells cannot be loaded into a session on this platform")
	}
	l, err := install.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(l.Kernelspec()); err != nil {
		t.Fatal("the kernel is not installed; run: make setup")
	}
	script, err := filepath.Abs(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if end, ok := t.Deadline(); ok { // what it says is lost if Go's test ends first
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-time.Minute))
		defer cancel()
	}
	cmd := exec.CommandContext(ctx, l.Python(), append([]string{"-W", "ignore", script}, args...)...)
	cmd.Env = l.JupyterEnv()
	cmd.Dir = t.TempDir()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it says where it was
	cmd.WaitDelay = 10 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestConformance(t *testing.T) { python(t, "conformance.py") }

func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("faults take minutes; make check")
	}
	t.Parallel() // much of it is waiting
	for _, class := range []string{"Interrupts", "Deaf", "Errors", "Deaths", "Ends", "Protocol", "Stateless", "Dialect", "Start", "Disk"} {
		t.Run(class, func(t *testing.T) { python(t, "faults.py", class) })
	}
}

// TestCells: what testdata/cells says that cells do, a kernel to a file.
func TestCells(t *testing.T) {
	if testing.Short() {
		t.Skip("cells of every kind take minutes; make check")
	}
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "cells", "*.cells"))
	if err != nil || len(files) == 0 {
		t.Fatal("no cells", err)
	}
	for _, f := range files {
		name := filepath.Base(f)
		t.Run(name, func(t *testing.T) { python(t, "cells.py", name) })
	}
}
