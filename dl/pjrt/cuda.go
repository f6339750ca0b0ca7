package pjrt

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/gradbook/gradbook/dl/cache"
)

// CUDAEnv names the environment variable that says which CUDA setup installs: "12",
// "13", or "none", with which a GPU is not used either. Without it, the driver and the
// GPU decide.
const CUDAEnv = "GRADBOOK_CUDA"

// CUDA is a plugin for NVIDIA's GPUs with the libraries of one of their versions. The
// wheels, with their hashes, are in kernel/install/cuda.
type CUDA struct {
	// Version is CUDA's.
	Version int
	// XLA is the plugin's version.
	XLA string
	// Driver is the oldest that works, by its first number.
	Driver int
	// Capability is that of the oldest GPUs that work.
	Capability float64
	// Data is the folder, among the libraries, with the programs and files that XLA
	// compiles with.
	Data string
}

// CUDAs are the versions, the newest first.
//
// Source: https://docs.jax.dev/en/latest/installation.html#nvidia-gpu
var CUDAs = []CUDA{
	{Version: 13, XLA: "0.11.2", Driver: 580, Capability: 7.5, Data: "nvidia/cu13"},
	{Version: 12, XLA: "0.11.2", Driver: 525, Capability: 5.2, Data: "nvidia/cuda_nvcc"},
}

// Name is "cuda13", or "cuda12".
func (c CUDA) Name() string { return "cuda" + strconv.Itoa(c.Version) }

// Dir is where setup puts the plugin and its libraries.
func (c CUDA) Dir() (string, error) { return cache.Dir("pjrt", c.Name()+"-"+c.XLA) }

// Path is the plugin's. The plugin looks for its libraries in ../nvidia.
func (c CUDA) Path() (string, error) {
	dir, err := c.Dir()
	return filepath.Join(dir, "plugin", "pjrt_c_api_cuda_plugin.so"), err
}

// WantsCUDA says whether a program that asks for no device tries a GPU: there is one, or
// the user has a plugin for it.
func WantsCUDA() bool {
	return os.Getenv(CUDAEnv) != "none" && (HasGPU() || Preferred("cuda"))
}

// ChooseCUDA returns the version for this machine; nil if none is wanted: there is no
// GPU, or $GRADBOOK_CUDA says so. The error says why a GPU cannot be used.
func ChooseCUDA() (*CUDA, error) {
	return choose(os.Getenv(CUDAEnv), HasGPU(), Driver, GPUs)
}

func choose(wanted string, hasGPU bool, driver func() string, gpus func() []GPU) (*CUDA, error) {
	switch {
	case wanted == "none":
		return nil, nil
	case wanted == "" && !hasGPU:
		return nil, nil
	case runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64":
		return nil, fmt.Errorf("pjrt: expected linux on amd64 or arm64 for CUDA, got %s/%s", runtime.GOOS, runtime.GOARCH)
	case wanted != "":
		for i := range CUDAs {
			if wanted == strconv.Itoa(CUDAs[i].Version) {
				return &CUDAs[i], nil
			}
		}
		return nil, fmt.Errorf("pjrt: expected 12, 13 or none in %s, got %q", CUDAEnv, wanted)
	}
	version := driver()
	first, _, _ := strings.Cut(version, ".")
	major, err := strconv.Atoi(first)
	if err != nil {
		major = CUDAs[len(CUDAs)-1].Driver // it does not say; then what more drivers can
	}
	for i, c := range CUDAs {
		if major >= c.Driver && capable(gpus(), c) {
			return &CUDAs[i], nil
		}
	}
	oldest := CUDAs[len(CUDAs)-1]
	return nil, fmt.Errorf("pjrt: expected an NVIDIA driver of version %d or newer and a GPU of compute capability %.1f or more, got driver %s%s",
		oldest.Driver, oldest.Capability, version, names(gpus()))
}

// capable says whether the first GPU, which is the one that is used, is new enough.
func capable(gpus []GPU, c CUDA) bool {
	return len(gpus) == 0 || gpus[0].Capability == 0 || gpus[0].Capability >= c.Capability
}

func names(gpus []GPU) string {
	var b strings.Builder
	for _, g := range gpus {
		fmt.Fprintf(&b, ", %s (%.1f)", g.Name, g.Capability)
	}
	return b.String()
}

// jaxPlugin is the plugin's name in the wheels of JAX, which Python keeps in
// jax_plugins/xla_cuda13. Their libraries are in nvidia, two folders up.
const jaxPlugin = "xla_cuda_plugin.so"

// CUDAOf tells which of the versions a plugin is: one that setup installed, or JAX's in an
// environment of Python. data is the folder that XLA compiles with, "" if it is not there.
// Of others nothing is known, and c is nil.
func CUDAOf(plugin string) (c *CUDA, data string) {
	dir := filepath.Dir(plugin)
	for i := range CUDAs {
		c := &CUDAs[i]
		root := ""
		if path, err := c.Path(); err == nil && path == plugin {
			root = filepath.Dir(dir)
		} else if filepath.Base(plugin) == jaxPlugin && filepath.Base(dir) == "xla_"+c.Name() {
			packages := filepath.Dir(filepath.Dir(dir))
			if _, err := os.Stat(filepath.Join(packages, "jax_"+c.Name()+"_pjrt-"+c.XLA+".dist-info")); err == nil {
				root = packages
			}
		}
		if root == "" {
			continue
		}
		data := filepath.Join(root, filepath.FromSlash(c.Data))
		if _, err := os.Stat(data); err != nil {
			data = ""
		}
		return c, data
	}
	return nil, ""
}
