package install

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/gocmd"
)

// TestUserDir: in a checkout that cannot be written, what changes in use is in the
// user's own folder, and a setup that has nothing to do succeeds.
func TestUserDir(t *testing.T) {
	root := t.TempDir()
	l := Checkout(root)
	if got := l.UserDir("log"); got != filepath.Join(root, ".gradbook", "log") {
		t.Errorf("before setup: expected the checkout's, got %s", got)
	}
	dir := filepath.Join(root, ".gradbook")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := l.Log(); got != filepath.Join(dir, "log", "kernel.log") {
		t.Errorf("expected the checkout's, got %s", got)
	}
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere; docker/try.sh does the rest")
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_STATE_HOME", "/state")
	if got := l.UserDir("log"); got != "/state/gradbook/log" {
		t.Errorf("read-only: expected the user's, got %s", got)
	}
	due := step{name: "x", fingerprint: func(context.Context) (string, error) { return "new", nil }, present: func() bool { return false }}
	if err := due.do(t.Context(), l, NewProgress(os.Stderr)); err == nil || !strings.Contains(err.Error(), "cannot be written") {
		t.Errorf("a step that is due: got %v", err)
	}
	due.present = func() bool { return true }
	if err := due.do(t.Context(), l, NewProgress(os.Stderr)); err != nil {
		t.Errorf("a step whose result is there: got %v", err)
	}
}

// TestKernelTools: a Jupyter that a desktop starts may have no go on its PATH; the
// kernelspec says where it is.
func TestKernelTools(t *testing.T) {
	l := Checkout(t.TempDir())
	for _, path := range []string{l.Program("gonb"), filepath.Join(l.Workspace(), "go.mod"), filepath.Join(l.Root, "sdk", "go")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", "")
	t.Setenv(gocmd.GoEnv, "")
	if _, err := KernelTools(l); err == nil {
		t.Error("expected an error without go")
	}
	t.Setenv(gocmd.GoEnv, filepath.Join(l.Root, "sdk", "go"))
	if tools, err := KernelTools(l); err != nil || tools.Go != filepath.Join(l.Root, "sdk", "go") {
		t.Errorf("expected the kernelspec's go, got %+v, %v", tools, err)
	}
}
