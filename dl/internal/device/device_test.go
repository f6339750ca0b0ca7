package device

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/dl/internal/native"
	"github.com/gradbook/gradbook/dl/pjrt"
	"github.com/gradbook/gradbook/dl/pjrt/pjrttest"
)

// TestTuneXLA: flags are set for the pinned plugin only, behind the user's own,
// and taken back.
func TestTuneXLA(t *testing.T) {
	t.Setenv(cache.Env, t.TempDir())
	pinned, err := pjrt.CPU.Path()
	if err != nil {
		t.Fatal(err)
	}
	const mine = "--xla_cpu_prefer_vector_width=128"
	t.Setenv("XLA_FLAGS", mine)
	restore := tuneXLA("cpu", "/some/other/plugin.so")
	if got := os.Getenv("XLA_FLAGS"); got != mine {
		t.Errorf("another plugin: expected the flags to stay, got %s", got)
	}
	restore()
	t.Setenv(native.Env, "off") // without kernels, oneDNN's are the fastest
	restore = tuneXLA("cpu", pinned)
	got := os.Getenv("XLA_FLAGS")
	if !strings.HasPrefix(got, mine+" ") || !strings.Contains(got, "onednn") || strings.Contains(got, "width=512") {
		t.Errorf("expected the user's flag first, and once, got %s", got)
	}
	restore()
	if got := os.Getenv("XLA_FLAGS"); got != mine {
		t.Errorf("expected the flags back, got %s", got)
	}
	if err := os.Unsetenv("XLA_FLAGS"); err != nil {
		t.Fatal(err)
	}
	tuneXLA("cpu", pinned)()
	if got, ok := os.LookupEnv("XLA_FLAGS"); ok {
		t.Errorf("expected no flags afterwards, got %q", got)
	}
}

// TestFallBack: without a plugin, and with one that cannot be loaded, a program
// computes in pure Go and says why; a device that was asked for is an error.
func TestFallBack(t *testing.T) {
	if pjrt.HasGPU() {
		t.Skip("there is a GPU")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv(cache.Env, t.TempDir())
	t.Setenv(pjrt.PathEnv, "")
	d, err := openNew("")
	if err != nil || d.Kind != "go" || !strings.Contains(d.Note, "no XLA plugin") || !strings.Contains(d.Note, "slower") {
		t.Errorf("no plugin: got %+v, %v", d, err)
	}
	if _, err := openNew("cpu"); err == nil || !strings.Contains(err.Error(), "gradbook setup") {
		t.Errorf("no plugin, but asked for: got %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/pjrt_c_api_cpu_plugin.so", []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(pjrt.PathEnv, dir)
	if d, err := openNew(""); err != nil || d.Kind != "go" || !strings.Contains(d.Note, dir) {
		t.Errorf("a plugin that is none: got %+v, %v", d, err)
	}
}

func TestOneLine(t *testing.T) {
	inner := errors.New("what is wrong")
	if got := OneLine(fmt.Errorf("many\nlines: %w", inner)); got != "what is wrong" {
		t.Errorf("got %q", got)
	}
	if got := OneLine(errors.New("first\nsecond")); got != "first" {
		t.Errorf("got %q", got)
	}
}

// TestPluginFails: whatever is wrong with CUDA's plugin, a program computes on the CPU
// and says why; a device that was asked for is an error that says so.
func TestPluginFails(t *testing.T) {
	if pjrt.HasGPU() {
		t.Skip("there is a GPU")
	}
	for what, want := range pjrttest.Says {
		t.Run(string(what), func(t *testing.T) {
			t.Setenv(pjrt.PathEnv, pjrttest.CUDA(t, what))
			d, err := openNew("")
			if err != nil || d.Kind != "cpu" || !strings.Contains(d.Note, want) || !strings.Contains(d.Note, "computing on the CPU") || strings.Contains(d.Note, "\n") {
				t.Errorf("expected the CPU and a note that says %q, got %+v, %v", want, d, err)
			}
			if d, err := openNew("cuda"); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("asked for: expected an error that says %q, got %+v, %v", want, d, err)
			}
		})
	}
}

// TestPath: what a folder is called does not make a plugin one for GPUs, and a comma is
// no end of its path.
func TestPath(t *testing.T) {
	plugin, err := pjrt.Find("cpu")
	if err != nil {
		t.Skip(err)
	}
	dir := filepath.Join(t.TempDir(), "nvidia, CUDA")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(plugin, filepath.Join(dir, filepath.Base(plugin))); err != nil {
		t.Fatal(err)
	}
	t.Setenv(pjrt.PathEnv, dir)
	d, err := openNew("cpu")
	if err != nil || d.Kind != "cpu" || !strings.Contains(d.Description(), "PJRT 0.") {
		t.Errorf("expected the CPU, got %+v, %v", d, err)
	}
}

// TestTF32: GRADBOOK_TF32 is 0 or 1.
func TestTF32(t *testing.T) {
	for value, want := range map[string]bool{"": true, "1": true, "0": false, "true": true, "false": false} {
		t.Setenv(TF32Env, value)
		if got, err := TF32(); err != nil || got != want {
			t.Errorf("%q: expected %v, got %v, %v", value, want, got, err)
		}
	}
	t.Setenv(TF32Env, "often")
	if _, err := TF32(); err == nil || !strings.Contains(err.Error(), TF32Env) {
		t.Errorf("expected an error that names %s, got %v", TF32Env, err)
	}
}

// TestFlags: XLA compiles with what is beside its plugin, and remembers which kernels were
// fast, if the version is the one that was tried.
func TestFlags(t *testing.T) {
	root := t.TempDir()
	t.Setenv(cache.Env, root)
	for _, c := range pjrt.CUDAs {
		path, err := c.Path()
		if err != nil {
			t.Fatal(err)
		}
		data := filepath.Join(filepath.Dir(filepath.Dir(path)), c.Data)
		if err := os.MkdirAll(data, 0o755); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"--xla_gpu_cuda_data_dir=" + data,
			"--xla_gpu_per_fusion_autotune_cache_dir=" + filepath.Join(root, "pjrt", "autotuned", c.Name()+"-"+c.XLA),
		}
		if got := flagsFor("cuda", path); !slices.Equal(got, want) {
			t.Errorf("expected %v, got %v", want, got)
		}
		if d := (&Device{Kind: "cuda", Plugin: path}); len(d.Deterministic()) == 0 {
			t.Error("expected options to compute the same each time, got none")
		}
	}
	if got := flagsFor("cuda", "/some/plugin.so"); got != nil {
		t.Errorf("expected no flags for another plugin, got %v", got)
	}
	if d := (&Device{Kind: "cuda", Plugin: "/some/plugin.so"}); d.Deterministic() != nil {
		t.Error("expected no options for another plugin")
	}
}

// TestNoGPUWanted: GRADBOOK_CUDA=none says that a GPU is not to be used, without a word.
func TestNoGPUWanted(t *testing.T) {
	t.Setenv(pjrt.PathEnv, pjrttest.CUDA(t, pjrttest.Works))
	t.Setenv(pjrt.CUDAEnv, "none")
	if d, err := openNew(""); err != nil || d.Kind != "cpu" || d.Note != "" {
		t.Errorf("expected the CPU and no note, got %+v, %v", d, err)
	}
}

// TestForeignTry: a program is only ended in favour of a try that this process has begun.
func TestForeignTry(t *testing.T) {
	for parent, want := range map[int]string{os.Getpid(): "", 1: "PASS"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d:cuda:/no/such/plugin.so", tryEnv, parent))
		out, _ := cmd.Output()
		if got := strings.TrimSpace(string(out)); !strings.HasPrefix(got, want) || (want == "" && got != "") {
			t.Errorf("parent %d: expected %q, got %q", parent, want, got)
		}
	}
}

// TestPluginHangs: a plugin that does not answer is given up.
func TestPluginHangs(t *testing.T) {
	dir := pjrttest.CUDA(t, pjrttest.Hang)
	if err := try("cuda", dir+"/pjrt_c_api_cuda_plugin.so", time.Second); err == nil || !strings.Contains(err.Error(), "1s") {
		t.Errorf("expected an error that says how long, got %v", err)
	}
}

// TestPluginWorks: a plugin in the user's own folder is used, does not take the GPU's
// memory whole, and is tried apart only once.
func TestPluginWorks(t *testing.T) {
	if pjrt.HasGPU() {
		t.Skip("there is a GPU")
	}
	dir := pjrttest.CUDA(t, pjrttest.Works) // finds the CPU's plugin in the cache
	t.Setenv(cache.Env, t.TempDir())
	t.Setenv(pjrt.PathEnv, dir)
	options := filepath.Join(t.TempDir(), "options")
	t.Setenv("FAKE_OPTIONS", options)
	t.Setenv(GPUMemoryEnv, "2")
	if d, err := openNew("cuda"); err == nil || !strings.Contains(err.Error(), GPUMemoryEnv) {
		t.Errorf("expected an error that names %s, got %+v, %v", GPUMemoryEnv, d, err)
	}
	t.Setenv(GPUMemoryEnv, "0.5")
	d, err := openNew("")
	if err != nil || d.Kind != "cuda" || d.Name() != "cuda:0" || d.Note != "" {
		t.Fatalf("expected CUDA, got %+v, %v", d, err)
	}
	if got, err := os.ReadFile(options); err != nil || !strings.Contains(string(got), "preallocate=0") || !strings.Contains(string(got), "memory_fraction=0.5") {
		t.Errorf("expected options not to take the memory whole, got %q, %v", got, err)
	}
	stamp, err := stampOf("cuda", d.Plugin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stamp); err != nil {
		t.Errorf("expected it to be remembered that the plugin works: %v", err)
	}
}

func TestReason(t *testing.T) {
	for log, want := range map[string]string{
		"": "",
		"I0000 1\nF0000 00:00 x.cc:1] Check failed\n*** stack\n": ": Check failed",
		"Unknown flags in XLA_FLAGS\nmore\n":                     ": Unknown flags in XLA_FLAGS",
	} {
		if got := reason(log); got != want {
			t.Errorf("%q: expected %q, got %q", log, want, got)
		}
	}
}
