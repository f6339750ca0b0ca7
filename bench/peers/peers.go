// Package peers runs the scripts of this folder, which measure what Gradbook is measured
// beside.
package peers

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/gradbook/gradbook/kernel/install"
)

// Packages is the folder of the peers' Python packages, which `make bench` installs.
func Packages(l install.Layout) (string, error) {
	found, err := filepath.Glob(filepath.Join(l.Root, ".gradbook", "peers", "lib", "python*", "site-packages"))
	if err != nil || len(found) == 0 {
		return "", errors.New("the peers are not installed; run: make bench")
	}
	return found[0], nil
}

// Measure runs a script with Jupyter's Python. Its first argument is spec as JSON, and
// what it prints is JSON, too.
func Measure(l install.Layout, script string, spec, result any, args ...string) error {
	first, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	cmd := exec.Command(l.Python(), append([]string{filepath.Join(l.Root, "bench", "peers", script), string(first)}, args...)...)
	cmd.Env, cmd.Stderr = l.JupyterEnv(), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	return json.Unmarshal(out, result)
}

// OnProcessors is a command on so many processors, of which it makes out itself how many there are.
func OnProcessors(n int, args ...string) *exec.Cmd {
	if n < runtime.NumCPU() {
		args = append([]string{"taskset", "-c", fmt.Sprintf("0-%d", n-1)}, args...)
	}
	return exec.Command(args[0], args[1:]...)
}
