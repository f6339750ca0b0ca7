// Package pjrt knows XLA's plugins: where they are, and which one Gradbook is
// tested with. It loads none, and so needs no C compiler.
//
// A plugin is a library that exports GetPjrtApi. Source: https://openxla.org/xla/pjrt
package pjrt

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/dl/cache"
)

// PathEnv names the environment variable with the folders that are searched
// first, as GoMLX's go-xla has it. For CUDA, the folder jax_plugins/xla_cuda13 of a
// Python that has JAX will do.
const PathEnv = "PJRT_PLUGIN_LIBRARY_PATH"

// Wheel is a Python package that carries a plugin.
type Wheel struct {
	// Name and Version are the package's.
	Name, Version string
	// SHA256 is that of the wheel.
	SHA256 string
	// Member is the path of the library in the wheel, Library its SHA-256.
	Member, Library string
	// Known is true of the plugin whose insides dl knows: the options of its compiler, how
	// it calls functions of ours, and which of its programs can be kept.
	Known bool
}

// CPU is the wheel for this platform's CPUs; one without a name where there is none.
// docs/dependencies.md says who builds them and why they were chosen.
var CPU = cpuWheels[runtime.GOOS+"/"+runtime.GOARCH]

var cpuWheels = map[string]Wheel{
	"linux/amd64": {
		Name: "lammps-jax-pjrt-cpu", Version: "0.11.2",
		SHA256:  "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1",
		Member:  "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so",
		Library: "ad1309ac822b1b24d51b7f9947c7c9fa9ef5d67f390584cbc3d1fa2428fed9c2",
		Known:   true,
	},
	"linux/arm64": {
		Name: "xla-cpu-pjrt", Version: "0.0.1",
		SHA256:  "8f613be6e891858f40d64f9799319502fff42689661944fc18a6ffd8210b30c9",
		Member:  "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so",
		Library: "fcf411f3e8ff635c2b2cf87215aa7016f460e66d236c3db08309e7486583532d",
	},
}

// Installed are the SHA-256 of the libraries that GoMLX's installer has been seen to install,
// by platform. One that is not here has been seen by nobody who could say that it is the
// right one; setup says so, with its sum.
var Installed = map[string][]string{}

// Path is where setup puts the wheel's library. The version is part of it, so a
// change of the pin leaves running programs their library.
func (w Wheel) Path() (string, error) {
	return cache.Dir("pjrt", w.Name+"-"+w.Version, "pjrt_c_api_cpu_plugin"+extension())
}

// InstallDir is the folder into which GoMLX's own installer puts plugins.
func InstallDir() (string, error) { return cache.Dir("lib", "go-xla") }

// Find returns the path of a plugin, where kind is "cpu" or "cuda". It looks
// into the folders of $PJRT_PLUGIN_LIBRARY_PATH, then where setup installs,
// then where GoMLX's installer does.
func Find(kind string) (string, error) {
	if path := preferred(kind); path != "" {
		return filepath.Abs(path)
	}
	dirs := installed(kind)
	for _, dir := range dirs {
		if path := in(dir, kind); path != "" {
			return path, nil
		}
	}
	return "", fmt.Errorf("pjrt: no XLA plugin for %s on %s/%s; looked into %s; `gradbook setup` installs one where there is one",
		kind, runtime.GOOS, runtime.GOARCH, strings.Join(append(folders(), dirs...), ", "))
}

// Preferred says whether the user has a plugin in a folder of
// $PJRT_PLUGIN_LIBRARY_PATH.
func Preferred(kind string) bool { return preferred(kind) != "" }

func preferred(kind string) string {
	for _, dir := range folders() {
		if path := in(dir, kind); path != "" {
			return path
		}
	}
	return ""
}

// folders are those that the user names.
func folders() (dirs []string) {
	for _, dir := range filepath.SplitList(os.Getenv(PathEnv)) {
		if dir != "" {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// in returns the plugin in a folder, "" if there is none.
func in(dir, kind string) string {
	// Not Glob: a folder's name may hold its signs. ReadDir sorts, so of
	// several versions the last is the newest.
	entries, _ := os.ReadDir(dir)
	for _, e := range slices.Backward(entries) {
		ok, _ := filepath.Match("pjrt_c_api_"+kind+"*plugin*"+extension(), e.Name())
		if ok || kind == "cuda" && e.Name() == jaxPlugin {
			return filepath.Join(dir, e.Name())
		}
	}
	return ""
}

func installed(kind string) []string {
	var dirs []string
	ours := func(path string, err error) {
		if err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	switch kind {
	case "cpu":
		ours(CPU.Path())
	case "cuda":
		for _, c := range CUDAs {
			ours(c.Path())
		}
		// Of two that are there, the one for this driver, which takes a while to ask.
		if len(dirs) > 1 && in(dirs[0], kind) != "" && in(dirs[1], kind) != "" {
			if c, err := ChooseCUDA(); err == nil && c != nil {
				if path, err := c.Path(); err == nil {
					dirs = slices.Insert(dirs, 0, filepath.Dir(path))
				}
			}
		}
	}
	var roots []string // of GoMLX's installer, which puts CUDA's below nvidia
	if dir, err := InstallDir(); err == nil {
		roots = append(roots, dir)
	}
	if home, err := os.UserHomeDir(); err == nil {
		lib := filepath.Join(home, ".local", "lib")
		if runtime.GOOS == "darwin" {
			lib = filepath.Join(home, "Library", "Application Support")
		}
		roots = append(roots, filepath.Join(lib, "go-xla"))
	}
	for _, root := range append(roots, "/usr/local/lib/go-xla") {
		dirs = append(dirs, root, filepath.Join(root, "nvidia"))
	}
	return dirs
}

func extension() string {
	switch runtime.GOOS {
	case "darwin":
		return ".dylib"
	case "windows":
		return ".dll"
	}
	return ".so"
}
