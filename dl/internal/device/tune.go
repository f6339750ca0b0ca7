package device

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/dl/internal/native"
	"github.com/gradbook/gradbook/dl/pjrt"
)

// TF32Env names the environment variable that says whether a GPU may round the factors of
// products of float32 to TF32's 10 bits, which is several times as fast: "1", as without it,
// or "0".
const TF32Env = "GRADBOOK_TF32"

// TF32 says whether it may.
//
// Source: https://docs.jax.dev/en/latest/jax.lax.html#jax.lax.Precision, and
// https://docs.pytorch.org/docs/stable/notes/cuda.html#tf32-on-ampere
func TF32() (bool, error) {
	value := os.Getenv(TF32Env)
	if value == "" {
		return true, nil
	}
	on, err := strconv.ParseBool(value)
	if err != nil {
		return false, fmt.Errorf("expected 0 or 1 in %s, got %q", TF32Env, value)
	}
	return on, nil
}

// oneDNN has XLA call oneDNN for products and convolutions. Without kernels of our own, that takes
// a fifth off the step of a convolutional network; with them it is slower, and programs that
// call it cannot be kept.
const oneDNN = "--xla_cpu_experimental_onednn_custom_call=true"

// cpuFlags let XLA use the full width of AVX-512 where the CPU has it, for some hundredths, and
// oneDNN where it helps.
func cpuFlags() []string {
	flags := []string{"--xla_cpu_prefer_vector_width=512"}
	if set, err := native.Set(); err == nil && set == "" {
		flags = append(flags, oneDNN)
	}
	return flags
}

// isPinned says whether a plugin is the one for the CPU that all is tried with, and whose
// insides are known.
func isPinned(kind, path string) bool {
	pinned, err := pjrt.CPU.Path()
	return err == nil && kind == "cpu" && path == pinned && pjrt.CPU.Known
}

// flagsFor are the flags for a plugin. They are for the versions that they were tried
// with: XLA ends a program if it does not know a flag.
func flagsFor(kind, path string) []string {
	if kind == "cpu" {
		if isPinned(kind, path) {
			return cpuFlags()
		}
		return nil
	}
	c, data := pjrt.CUDAOf(path)
	if c == nil {
		return nil
	}
	var flags []string
	if data != "" && !strings.ContainsAny(data, " \t\n") { // XLA finds most of it by itself
		flags = append(flags, "--xla_gpu_cuda_data_dir="+data)
	}
	if dir := autotuned(c); dir != "" {
		flags = append(flags, "--xla_gpu_per_fusion_autotune_cache_dir="+dir)
	}
	return flags
}

// autotuned is the folder in which XLA keeps which kernels were the fastest for what. To
// try them takes seconds when a model first runs; and as times vary, two programs could
// choose others and round differently. Those that round to TF32 are kept apart: XLA does not
// tell them apart where NVIDIA's libraries are told. It is "" where nothing can be written.
func autotuned(c *pjrt.CUDA) string {
	name := c.Name() + "-" + c.XLA
	if on, err := TF32(); err == nil && !on {
		name += "-exact"
	}
	dir, err := cache.Dir("pjrt", "autotuned", name)
	if err != nil || strings.ContainsAny(dir, " \t\n") || os.MkdirAll(dir, 0o755) != nil || !cache.Writable(filepath.Join(dir, "a file")) {
		return ""
	}
	return dir
}

// tuneXLA sets what XLA reads from the environment when a plugin is opened, and
// returns a function that takes it back: programs that this one starts may have
// another XLA. What the user set goes before.
//
// XLA takes as many threads as the machine has processors, also where a container may
// use few of them; Go knows better.
func tuneXLA(kind, path string) (restore func()) {
	var undo []func()
	if more := flagsFor(kind, path); len(more) > 0 {
		flags := os.Getenv("XLA_FLAGS")
		for _, f := range more {
			if name, _, _ := strings.Cut(f, "="); !strings.Contains(flags, name) {
				flags = strings.TrimSpace(flags + " " + f)
			}
		}
		undo = append(undo, setEnv("XLA_FLAGS", flags))
	}
	if os.Getenv("NPROC") == "" && os.Getenv("PJRT_NPROC") == "" {
		undo = append(undo, setEnv("PJRT_NPROC", strconv.Itoa(runtime.GOMAXPROCS(0))))
	}
	// NVIDIA's libraries read this when they are first used, and so it stays.
	if on, err := TF32(); kind == "cuda" && err == nil && !on {
		setEnv("NVIDIA_TF32_OVERRIDE", "0")
	}
	return func() {
		for _, f := range undo {
			f()
		}
	}
}

// setEnv sets a variable and returns what takes it back.
func setEnv(name, value string) (undo func()) {
	before, wasSet := os.LookupEnv(name)
	_ = os.Setenv(name, value) // a name without = cannot fail
	return func() {
		if wasSet {
			_ = os.Setenv(name, before)
		} else {
			_ = os.Unsetenv(name)
		}
	}
}
