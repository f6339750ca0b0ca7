package install

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/dl/pjrt"
)

// TestCUDARequirements: each version that is offered has its wheels, all with hashes,
// and among them the plugin that is looked for.
func TestCUDARequirements(t *testing.T) {
	l, err := Find(".")
	if err != nil {
		t.Fatal(err)
	}
	pinned := regexp.MustCompile(`(?m)^[\w-]+==\S+( \\\n    --hash=sha256:[0-9a-f]{64})+$`)
	for _, c := range pjrt.CUDAs {
		raw, err := os.ReadFile(l.cudaRequirements(c))
		if err != nil {
			t.Fatal(err)
		}
		text := string(raw)
		if rest := strings.TrimSpace(pinned.ReplaceAllString(text, "")); rest != "" {
			t.Errorf("%s: expected versions and hashes only, got %q", c.Name(), rest)
		}
		for _, part := range []string{"jax-" + c.Name() + "-pjrt==" + c.XLA + " ", "nvidia-cudnn-" + strings.Replace(c.Name(), "da", "", 1) + "==", "nccl", "cublas", "nvrtc", "cuda-nvcc"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s: expected %s among the wheels", c.Name(), part)
			}
		}
	}
}

// TestArrangeCUDA: the plugin lies beside its libraries, under the name that is looked
// for, and finds those of which it does not know.
func TestArrangeCUDA(t *testing.T) {
	t.Setenv(cache.Env, t.TempDir())
	for _, c := range pjrt.CUDAs {
		dir, err := c.Dir()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{
			"jax_plugins/xla_" + c.Name() + "/xla_cuda_plugin.so", "nvidia/cudnn/lib/libcudnn.so.9",
			"nvidia/cuda_runtime/lib/libcudart.so.12", "nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
		} {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := cache.WriteFile(path, []byte(name), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := arrangeCUDA(dir, c); err != nil {
			t.Fatal(err)
		}
		if !installedCUDA(c) {
			t.Errorf("%s: expected the plugin in its place", c.Name())
		}
		found, err := pjrt.Find("cuda")
		if err != nil || !strings.HasPrefix(found, dir) && c.Version == pjrt.CUDAs[0].Version {
			t.Errorf("%s: got %s, %v", c.Name(), found, err)
		}
		// The plugin's own list of folders is relative to where it lies.
		if lib := filepath.Join(filepath.Dir(found), "..", "nvidia", "cudnn", "lib", "libcudnn.so.9"); !exists(lib) {
			t.Errorf("%s: expected %s", c.Name(), lib)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "nvidia", "cuda_runtime", "lib", "libnvrtc.so.12")); err != nil || string(got) != "nvidia/cuda_nvrtc/lib/libnvrtc.so.12" {
			t.Errorf("%s: expected a link to nvrtc, got %q, %v", c.Name(), got, err)
		}
	}
}

// TestCUDAStep: what was asked for and cannot be had is an error; without a GPU nothing
// is asked for.
func TestCUDAStep(t *testing.T) {
	l := Checkout(t.TempDir())
	t.Setenv(pjrt.CUDAEnv, "none")
	if err := l.cuda().do(t.Context(), l, NewProgress(os.Stderr)); err != nil {
		t.Errorf("none: got %v", err)
	}
	t.Setenv(pjrt.CUDAEnv, "11")
	if err := l.cuda().do(t.Context(), l, NewProgress(os.Stderr)); err == nil || !strings.Contains(err.Error(), `"11"`) {
		t.Errorf("11: expected an error, got %v", err)
	}
}
