package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/dl/pjrt"
)

// cuda gets XLA's plugin for NVIDIA's GPUs and the libraries that it loads, where there
// is such a GPU or $GRADBOOK_CUDA asks for them. Without them notebooks compute on the
// CPU, so what goes wrong is a warning.
func (l Layout) cuda() step {
	c, choiceErr := pjrt.ChooseCUDA()
	failed := l.dir("state", cudaFailed)
	name := "none"
	if c != nil {
		name = c.Name()
	}
	return step{
		name: "cuda",
		fingerprint: func(context.Context) (string, error) {
			if c == nil {
				return fingerprint([]string{name, fmt.Sprint(choiceErr)})
			}
			return fingerprint([]string{name, c.XLA}, l.cudaRequirements(*c))
		},
		present: func() bool {
			return c == nil || installedCUDA(*c) || pjrt.Preferred("cuda") || exists(failed)
		},
		run: func(ctx context.Context, p *Progress) error {
			err := choiceErr
			if c != nil && !installedCUDA(*c) && !pjrt.Preferred("cuda") {
				err = l.installCUDA(ctx, p, *c)
			}
			if err == nil || ctx.Err() != nil || os.Getenv(pjrt.CUDAEnv) != "" { // it was asked for
				return err
			}
			p.Warn("there is a GPU, but XLA for it could not be installed: %v; computing on the CPU; `gradbook setup` tries again", err)
			return cache.WriteFile(failed, nil, 0o644)
		},
	}
}

// cudaFailed is the file, beside the stamps of steps, that says that CUDA could not be
// had: it is not tried again each time.
const cudaFailed = "cuda.failed"

func installedCUDA(c pjrt.CUDA) bool {
	path, err := c.Path()
	return err == nil && exists(path)
}

// cudaRequirements is the file with the wheels and their hashes.
func (l Layout) cudaRequirements(c pjrt.CUDA) string {
	return filepath.Join(l.Root, "kernel", "install", "cuda", c.Name()+".txt")
}

// installCUDA has pip put the wheels into a folder, and puts the plugin where it finds
// the libraries. The folder appears whole or not at all.
func (l Layout) installCUDA(ctx context.Context, p *Progress, c pjrt.CUDA) error {
	dir, err := c.Dir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	sweep(filepath.Join(filepath.Dir(dir), "."+c.Name()+"-*"))
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "."+c.Name()+"-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // a leftover is only clutter
	// Others may use what is in it.
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	p.Note("downloading XLA for CUDA %d and NVIDIA's libraries, about 2 GB", c.Version)
	target := filepath.Join(tmp, "wheels")
	err = l.pip(ctx, p, []string{"TMPDIR=" + tmp}, "install", "--no-cache-dir", "--no-compile", "--target", target, "-r", l.cudaRequirements(c))
	if err != nil {
		return err
	}
	if err := arrangeCUDA(target, c); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(target, dir)
}

// sweep removes what a setup left that was killed; one that runs is younger.
func sweep(pattern string) {
	leftovers, _ := filepath.Glob(pattern)
	for _, dir := range leftovers {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			_ = os.RemoveAll(dir) // then it stays clutter
		}
	}
}

// arrangeCUDA moves the plugin to where pjrt looks for it: beside the folder nvidia, as
// it and GoMLX expect. Its list of folders lacks that of nvrtc for CUDA 12, which JAX
// loads beforehand; a link does that.
func arrangeCUDA(dir string, c pjrt.CUDA) error {
	from := filepath.Join(dir, "jax_plugins", "xla_"+c.Name(), "xla_cuda_plugin.so")
	to := filepath.Join(dir, "plugin", "pjrt_c_api_cuda_plugin.so")
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(dir, "jax_plugins")); err != nil {
		return err
	}
	runtime := filepath.Join(dir, "nvidia", "cuda_runtime", "lib")
	if !exists(runtime) {
		return nil
	}
	var all error
	for _, name := range []string{"cuda_nvrtc", "nvjitlink"} {
		libraries, err := filepath.Glob(filepath.Join(dir, "nvidia", name, "lib", "*.so.*"))
		all = errors.Join(all, err)
		for _, lib := range libraries {
			all = errors.Join(all, os.Symlink(filepath.Join("..", "..", name, "lib", filepath.Base(lib)), filepath.Join(runtime, filepath.Base(lib))))
		}
	}
	return all
}
