// Package install sets up everything that notebooks need, inside the checkout
// and the user's cache folder, and tells what is wrong with it.
package install

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/gradbook/gradbook/dl/cache"
)

// modulePath is the module that a checkout holds.
const modulePath = "github.com/gradbook/gradbook"

// Layout is where things are. There are three kinds of them: a checkout, in which setup
// makes everything under .gradbook; the source of a program that `go install` built, in
// Go's cache of modules; and a wheel, which brings source and much that is built. The last
// two have what setup makes in the user's cache folder. What setup makes can be removed at
// any time. A checkout that has been set up may be read-only: see UserDir.
type Layout struct {
	// Root is the folder of the module's source.
	Root string
	// State is the folder of what setup makes.
	State string
	// Shipped is the folder of a wheel's package; "" without one.
	Shipped string
}

// Checkout is the layout of a checkout.
func Checkout(root string) Layout { return Layout{Root: root, State: filepath.Join(root, ".gradbook")} }

// Find returns the layout of this program if it is installed, of the checkout that holds
// dir or, failing that, this program.
func Find(dir string) (Layout, error) {
	exe, err := os.Executable()
	if err == nil {
		exe, err = filepath.EvalSymlinks(exe)
	}
	if err == nil {
		if l, ok, err := installed(exe); ok {
			return l, err
		}
	}
	for _, start := range []string{dir, filepath.Dir(exe)} {
		abs, err := filepath.Abs(start)
		if err != nil {
			return Layout{}, err
		}
		for d := abs; ; d = filepath.Dir(d) {
			if isCheckout(d) {
				return Checkout(d), nil
			}
			if d == filepath.Dir(d) {
				break
			}
		}
	}
	return Layout{}, fmt.Errorf("expected to run inside a checkout of %s, got %s", modulePath, dir)
}

func isCheckout(dir string) bool {
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return false
	}
	first, _, _ := strings.Cut(string(mod), "\n")
	return strings.TrimSpace(first) == "module "+modulePath
}

// IsCheckout says whether the source is a person's own, to edit.
func (l Layout) IsCheckout() bool { return l.State == filepath.Join(l.Root, ".gradbook") }

func (l Layout) dir(elem ...string) string {
	return filepath.Join(append([]string{l.State}, elem...)...)
}

// Bin is the folder of the programs that setup builds, or a wheel brings.
func (l Layout) Bin() string {
	if l.Shipped != "" {
		return filepath.Join(l.Shipped, "bin")
	}
	return l.dir("bin")
}

// Program is the path of one of them.
func (l Layout) Program(name string) string { return filepath.Join(l.Bin(), executable(name)) }

func executable(name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return name
}

// Toolchain is the folder with the go command for cells.
func (l Layout) Toolchain() string { return l.dir("toolchain") }

// Workspace is the folder of the module in which cells are built.
func (l Layout) Workspace() string { return l.dir("workspace") }

// Venv is the Python environment that setup makes.
func (l Layout) Venv() string { return l.dir("venv") }

// PythonEnv names the environment variable with the interpreter of the environment that a
// wheel is in.
const PythonEnv = "GRADBOOK_PYTHON"

// Python is the interpreter of the Python environment: the one that setup makes, or the
// one that the wheel is in.
func (l Layout) Python() string {
	if l.Shipped != "" {
		return shippedPython(l.Shipped)
	}
	if runtime.GOOS == "windows" {
		return filepath.Join(l.Venv(), "Scripts", "python.exe")
	}
	return filepath.Join(l.Venv(), "bin", "python")
}

// Kernelspec is the folder that tells Jupyter of the kernel. A wheel has another for its own
// environment.
func (l Layout) Kernelspec() string {
	if l.Shipped != "" {
		return l.dir("kernelspec")
	}
	return filepath.Join(l.Venv(), "share", "jupyter", "kernels", KernelName)
}

// Labextension is the folder of viz's extension of JupyterLab.
func (l Layout) Labextension() string {
	return filepath.Join(l.Venv(), "share", "jupyter", "labextensions", "@gradbook", "viz")
}

// UserDir is the folder of what changes while notebooks are used, logs, settings and
// outputs, or what elem names in it. It is .gradbook, or, where that cannot be written,
// as in a container, gradbook in $XDG_STATE_HOME, which is ~/.local/state by default.
//
// Source: https://specifications.freedesktop.org/basedir-spec/latest/
func (l Layout) UserDir(elem ...string) string {
	dir := l.dir()
	if !l.writable() {
		state := os.Getenv("XDG_STATE_HOME")
		if home, err := os.UserHomeDir(); state == "" && err == nil {
			state = filepath.Join(home, ".local", "state")
		}
		if state == "" {
			state = os.TempDir()
		}
		dir = filepath.Join(state, "gradbook")
	}
	return filepath.Join(append([]string{dir}, elem...)...)
}

// writable says whether this user may set the checkout up.
func (l Layout) writable() bool { return cache.Writable(l.dir("x")) }

// Log is the file of the kernel's log.
func (l Layout) Log() string { return l.UserDir("log", "kernel.log") }

// JupyterEnv returns the environment in which Jupyter's programs run: with
// folders of the checkout's own, so that they neither see nor touch any other
// Jupyter of the user. What an administrator configured for all counts here too. A wheel
// is a guest in the user's own Jupyter, and leaves it as it is.
func (l Layout) JupyterEnv() []string {
	if l.Shipped != "" {
		return os.Environ()
	}
	return append(os.Environ(),
		"JUPYTER_CONFIG_DIR="+l.UserDir("jupyter", "config"),
		"JUPYTER_DATA_DIR="+l.UserDir("jupyter", "data"),
		"JUPYTER_RUNTIME_DIR="+l.UserDir("jupyter", "runtime"),
		"IPYTHONDIR="+l.UserDir("jupyter", "ipython"),
		"JUPYTER_PATH=",
		"JUPYTER_CONFIG_PATH=",
		"JUPYTERLAB_DIR=",
		"JUPYTER_PREFER_ENV_PATH=1",
		"JUPYTERLAB_SETTINGS_DIR="+l.UserDir("jupyter", "settings"),
		"JUPYTERLAB_WORKSPACES_DIR="+l.UserDir("jupyter", "workspaces"),
		"PYTHONNOUSERSITE=1",
		"PYTHONPATH=",
	)
}

// errNoGo is what a missing go command means.
var errNoGo = errors.New("no go command on PATH; install Go from https://go.dev/dl/")
