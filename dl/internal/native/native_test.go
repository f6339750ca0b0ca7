//go:build cgo && (linux || darwin) && (amd64 || arm64)

package native

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/internal/plugin"
)

func TestSet(t *testing.T) {
	has := sets()
	if len(has) == 0 {
		t.Skip("this processor has none of the sets of instructions")
	}
	for want, set := range map[string]string{"": has[0], has[0]: has[0], has[len(has)-1]: has[len(has)-1], "off": ""} {
		t.Setenv(Env, want)
		if got, err := Set(); err != nil || got != set {
			t.Errorf("%q: expected %q, got %q, %v", want, set, got, err)
		}
	}
	t.Setenv(Env, "sse2")
	if _, err := Set(); err == nil || !strings.Contains(err.Error(), Env) || !strings.Contains(err.Error(), `"sse2"`) {
		t.Errorf("expected an error that names the variable and its value, got %v", err)
	}
	t.Setenv("PJRT_NPROC", "1")
	if n := processors(); n != 1 {
		t.Errorf("expected one thread, as PJRT_NPROC says, got %d", n)
	}
}

// TestLayout compares what the kernels know of XLA's interface with its own header, of the wheel
// that the peers have.
func TestLayout(t *testing.T) {
	root := filepath.Join("..", "..", "..", ".gradbook", "peers", "lib", "*", "site-packages", "jaxlib", "include")
	found, err := filepath.Glob(root)
	if err != nil || len(found) == 0 {
		t.Skip("there is no jaxlib with XLA's header; make bench installs it")
	}
	compile(t, "-c", "-I"+found[0], "-o", os.DevNull, "testdata/layout.c")
}

// TestThreads has the thread sanitizer watch the kernels divide their work.
func TestThreads(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a quarter of a minute; make check")
	}
	program := filepath.Join(t.TempDir(), "threads")
	files, err := filepath.Glob("*.c")
	if err != nil {
		t.Fatal(err)
	}
	compile(t, slices.Concat([]string{"-g", "-O1", "-fsanitize=thread", "-o", program, "testdata/threads.c"}, files, []string{"-lpthread", "-lm"})...)
	for _, set := range sets() {
		out, err := exec.CommandContext(t.Context(), program, strconv.Itoa(lanes[set])).CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != "done" {
			t.Errorf("%s: expected nothing but done, got %v and\n%s", set, err, out)
		}
	}
}

func compile(t *testing.T, arguments ...string) {
	t.Helper()
	compiler := os.Getenv("CC")
	if compiler == "" {
		compiler = "gcc"
	}
	if out, err := exec.CommandContext(t.Context(), compiler, arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", compiler, strings.Join(arguments, " "), err, out)
	}
}

// TestOtherPlugins: a plugin of a version that was not tried gets no kernels, and no error.
func TestOtherPlugins(t *testing.T) {
	if err := register(&plugin.Plugin{Name: "/cpu", Minor: 81}, sets()[0]); err == nil || !strings.Contains(err.Error(), "0.81") {
		t.Errorf("expected an error that names the version, got %v", err)
	}
	if err := Enable(nil, &plugin.Plugin{Name: "/cpu", Minor: 81}); err != nil {
		t.Errorf("expected the plugin to be used without kernels, got %v", err)
	}
}
