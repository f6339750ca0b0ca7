// Package notebooktest runs notebooks as tests of Go's, so that a module can ship notebooks
// and know that they work:
//
//	func TestNotebooks(t *testing.T) {
//		notebooktest.Run(t, "notebooks/*.ipynb")
//	}
//
// A notebook runs as it does in JupyterLab, in its own folder, with the packages of the
// module that it lies in. The program gradbook runs it: the one that $GRADBOOK names, the one
// on PATH, or the module's own tool, which
//
//	go get -tool github.com/gradbook/gradbook/cmd/gradbook
//
// adds to its go.mod. The first run sets it up, which may take a minute or two.
package notebooktest

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Env names the environment variable with the path of the program gradbook.
const Env = "GRADBOOK"

// Run runs the notebooks whose paths match a pattern of path/filepath's, each as a subtest
// that is named like its file. A cell that fails fails the test, with what the cell printed
// and its error; cells with the tag raises-exception may fail. The notebooks' files stay as
// they are. It is an error if none matches.
func Run(t *testing.T, pattern string) { RunWith(t, pattern, nil) }

// RunWith is Run with parameters, by name, as YAML: they are set behind the cell with the tag
// "parameters", as papermill does.
//
// Source: https://papermill.readthedocs.io/en/latest/usage-parameterize.html
func RunWith(t *testing.T, pattern string, parameters map[string]string) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatalf("notebooktest: %s: %v", pattern, err)
	}
	if len(paths) == 0 {
		t.Fatalf("notebooktest: no notebook matches %s", pattern)
	}
	program, err := program()
	if err != nil {
		t.Fatalf("notebooktest: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if out, err := execute(t, program, path, parameters); err != nil {
				t.Errorf("%s: %v\n%s", path, err, out)
			} else {
				t.Log(out)
			}
		})
	}
}

// execute runs a notebook, and returns what was printed.
func execute(t *testing.T, program []string, path string, parameters map[string]string) (string, error) {
	args := append(slices.Clone(program[1:]), "run", "--output", t.TempDir())
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		args = append(args, "--parameter", name+"="+parameters[name])
	}
	cmd := exec.CommandContext(t.Context(), program[0], append(args, path)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// program is the command that starts gradbook.
func program() ([]string, error) {
	if path := os.Getenv(Env); path != "" {
		return []string{path}, nil
	}
	if path, err := exec.LookPath("gradbook"); err == nil {
		return []string{path}, nil
	}
	out, err := exec.Command("go", "tool", "-n", "gradbook").CombinedOutput()
	if path := strings.TrimSpace(string(out)); err == nil && filepath.IsAbs(path) {
		return []string{"go", "tool", "gradbook"}, nil
	}
	return nil, fmt.Errorf("no program gradbook: none is on PATH, $%s names none, and it is no tool of this module; get it with: go get -tool github.com/gradbook/gradbook/cmd/gradbook", Env)
}
