// Package pjrttest makes plugins for tests: one for GPUs that is the CPU's under
// another name, and others that fail, each in a way of its own.
package pjrttest

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/pjrt"
)

// Failure is what is wrong with a plugin.
type Failure string

// What may be wrong.
const (
	// Works is a plugin that computes, on the CPU.
	Works Failure = "WORKS"
	// MissingLibrary needs a library that is not there.
	MissingLibrary Failure = "MISSING_LIBRARY"
	// WrongVersion has an old version of PJRT's interface.
	WrongVersion Failure = "WRONG_VERSION"
	// NoDevice finds no GPU.
	NoDevice Failure = "NO_DEVICE"
	// OutOfMemory finds one whose memory is used up.
	OutOfMemory Failure = "OUT_OF_MEMORY"
	// Crash ends the program that opens it.
	Crash Failure = "CRASH"
	// Hang does not answer.
	Hang Failure = "HANG"
	// StepOutOfMemory works for as many programs as $FAKE_STEPS says, and has no memory
	// for the next.
	StepOutOfMemory Failure = "STEP_OUT_OF_MEMORY"
)

// Says is what those that fail when they are opened say.
var Says = map[Failure]string{
	MissingLibrary: "libcudart.so.99",
	WrongVersion:   "expected version 0.81 or newer of PJRT's interface, got 0.23",
	NoDevice:       "no CUDA-capable device is detected",
	OutOfMemory:    "536870912 bytes",
	Crash:          "Check failed: the driver is not what it seems",
}

//go:embed plugin/fake.c
var source []byte

// CUDA makes a plugin that says to be for CUDA, and returns the folder that holds it,
// for $PJRT_PLUGIN_LIBRARY_PATH. The test is skipped where there is no C compiler, or
// no plugin for the CPU.
func CUDA(t testing.TB, what Failure) (dir string) {
	t.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("no C compiler, or not linux")
	}
	plugin, err := pjrt.Find("cpu")
	if err != nil {
		t.Skip(err)
	}
	t.Setenv("FAKE_REAL_PLUGIN", plugin)
	dir = t.TempDir()
	code := filepath.Join(t.TempDir(), "fake.c")
	if err := os.WriteFile(code, source, 0o600); err != nil {
		t.Fatal(err)
	}
	compile := func(args ...string) {
		t.Helper()
		compileC(t, cc, append([]string{"-shared", "-fPIC", "-Wl,--no-as-needed"}, args...)...)
	}
	args := []string{
		"-DFAIL=" + string(what), code, "-o", filepath.Join(dir, "pjrt_c_api_cuda_plugin.so"), "-ldl",
	}
	if what == MissingLibrary {
		libs := t.TempDir()
		lib := filepath.Join(libs, "libcudart.so.99")
		compile("-x", "c", "/dev/null", "-o", lib, "-Wl,-soname,libcudart.so.99")
		compile(append(args, lib)...)
		if err := os.Remove(lib); err != nil {
			t.Fatal(err)
		}
	} else {
		compile(args...)
	}
	return dir
}

// compileC compiles a program in C, which can include PJRT's header.
func compileC(t testing.TB, cc string, args ...string) {
	t.Helper()
	header, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/gomlx/go-xla").Output()
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"-O1", "-I", filepath.Join(strings.TrimSpace(string(header)), "pjrt")}, args...)
	if out, err := exec.CommandContext(t.Context(), cc, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
