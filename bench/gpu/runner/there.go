package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/gradbook/gradbook/dl/pjrt"
)

// there is what the machine has.
type there struct {
	python string
	// plugin is the folder of JAX's plugin for CUDA, libraries those of NVIDIA's libraries.
	plugin    string
	libraries []string
	versions  map[string]string
	// env is what programs get beside the environment; device is what of it chooses that.
	env, device []string
	// digits is the file of MNIST.
	digits string
}

// question is what Python is asked: where packages are, without loading them.
const question = `
import glob, importlib.metadata, importlib.util, json, os, sys

def folder(name):
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return []
    return list(spec.submodule_search_locations or []) if spec else []

def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""

plugin = next((d for name in ("xla_cuda13", "xla_cuda12") for d in folder("jax_plugins." + name)
               if os.path.exists(os.path.join(d, "xla_cuda_plugin.so"))), "")
libraries = sorted({os.path.dirname(f) for d in folder("nvidia") for f in glob.glob(os.path.join(d, "*", "lib", "*.so*"))})
names = ("jax", "jaxlib", "jax-cuda13-pjrt", "jax-cuda12-pjrt", "optax", "torch", "nvidia-cudnn-cu13", "nvidia-cublas")
print(json.dumps({"plugin": plugin, "libraries": libraries,
                  "versions": {"python": sys.version.split()[0], **{n: version(n) for n in names if version(n)}}}))
`

// find asks Python for the plugin and its libraries.
func find(ctx context.Context, s settings) (*there, error) {
	python, err := exec.LookPath(s.python)
	if err != nil {
		return nil, fmt.Errorf("expected a Python that has JAX's plugin for CUDA: %w", err)
	}
	out, err := exec.CommandContext(ctx, python, "-c", question).Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", python, err)
	}
	var answer struct {
		Plugin    string
		Libraries []string
		Versions  map[string]string
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return nil, fmt.Errorf("%s: %w", python, err)
	}
	if answer.Plugin == "" {
		return nil, fmt.Errorf("expected jax_plugins.xla_cuda13 or xla_cuda12 in %s, got neither; pip install \"jax[cuda13]\" has it", python)
	}
	t := &there{python: python, plugin: answer.Plugin, libraries: answer.Libraries, versions: answer.Versions}
	digits, err := filepath.Glob(filepath.Join(s.files, "cache", "datasets", "mnist-*.bin"))
	if err != nil || len(digits) != 1 {
		return nil, fmt.Errorf("expected one file of MNIST in %s, got %v", s.files, digits)
	}
	t.digits = digits[0]
	home := filepath.Join(s.files, "home")
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, err
	}
	// Nothing of the machine's user is read or written.
	t.device = []string{"GRADBOOK_DEVICE=cuda", "PJRT_PLUGIN_LIBRARY_PATH=" + t.plugin}
	t.env = append([]string{
		"GRADBOOK_CACHE=" + filepath.Join(s.files, "cache"),
		"PYTHONDONTWRITEBYTECODE=1",
		"HOME=" + home,
	}, t.device...)
	return t, nil
}

// has says whether Python has a package.
func (t *there) has(name string) bool { return t.versions[name] != "" }

// firstGPU is what nvidia-smi says of the first GPU.
func firstGPU() (pjrt.GPU, error) {
	all := pjrt.GPUs()
	if len(all) == 0 {
		return pjrt.GPU{}, errors.New("expected a GPU that nvidia-smi knows, got none")
	}
	return all[0], nil
}

// compilers are the Go toolchain and the C compiler, as far as they are there.
func compilers() (golang, cc string) {
	golang, _ = exec.LookPath("go")
	for _, name := range []string{os.Getenv("CC"), "cc", "gcc", "clang"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return golang, path
		}
	}
	return golang, ""
}
