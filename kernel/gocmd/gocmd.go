// Package gocmd stands in for the go command on the PATH of the kernel.
//
// GoNB begins each notebook with `go mod init` in a folder of its own, an empty
// module that would fetch what its cells import. Here that module gets the
// requirements of Gradbook's workspace module, which setup has resolved, so
// cells find dl and everything else without a network. Every other go command
// is passed on as it is.
package gocmd

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/gradbook/gradbook/dl/cache"
)

const (
	// GoEnv names the environment variable with the path of the real go command.
	GoEnv = "GRADBOOK_GO"
	// WorkspaceEnv names the environment variable with the folder of the
	// workspace module.
	WorkspaceEnv = "GRADBOOK_WORKSPACE"
)

// Main runs `go args…` and returns the exit status.
func Main(args []string) int {
	goCmd, workspace := os.Getenv(GoEnv), os.Getenv(WorkspaceEnv)
	if goCmd == "" {
		fmt.Fprintf(os.Stderr, "gradbook: this go command is for cells of a notebook only; %s is not set\n", GoEnv)
		return 2
	}
	if workspace == "" || !beginsNotebook(args) {
		return replace(goCmd, args)
	}
	if code := run(goCmd, args); code != 0 {
		return code
	}
	if err := seed(".", workspace); err != nil {
		fmt.Fprintf(os.Stderr, "gradbook: cannot prepare the notebook's module: %v; `gradbook setup` mends the workspace\n", err)
		return 1
	}
	return 0
}

// beginsNotebook says whether the command is the one with which GoNB begins a
// notebook: in a folder that is named like the module. A `go mod init` that a
// person calls from a cell is his own.
func beginsNotebook(args []string) bool {
	if len(args) != 3 || args[0] != "mod" || args[1] != "init" || !strings.HasPrefix(args[2], "gonb_") {
		return false
	}
	dir, err := os.Getwd()
	return err == nil && filepath.Base(dir) == args[2]
}

// gradbook is the module of which cells import the front end.
const gradbook = "github.com/gradbook/gradbook"

// frontend is the file of a notebook's module by which viz shows things in it. GoNB
// writes main.go anew for each cell and leaves other files alone.
const frontend = `//go:build !js

package main

import _ "` + gradbook + `/viz/gonb"
`

func requires(f *modfile.File, module string) bool {
	return slices.ContainsFunc(f.Require, func(r *modfile.Require) bool { return r.Mod.Path == module })
}

// seed gives the module in dir the requirements of the workspace module.
func seed(dir, workspace string) error {
	own, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	mod, err := os.ReadFile(filepath.Join(workspace, "go.mod"))
	if err != nil {
		return err
	}
	f, err := modfile.Parse("go.mod", mod, nil)
	if err != nil {
		return err
	}
	if err := f.AddModuleStmt(modfile.ModulePath(own)); err != nil {
		return err
	}
	mod, err = f.Format()
	if err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(workspace, "go.sum"))
	if err != nil {
		return err
	}
	files := map[string][]byte{"go.mod": mod, "go.sum": sum}
	if requires(f, gradbook) {
		files["gradbook.go"] = []byte(frontend)
	}
	for name, content := range files {
		err := cache.WriteFile(filepath.Join(dir, name), content, 0o644)
		if err != nil {
			return err
		}
	}
	return nil
}

// run runs the command as a child.
func run(goCmd string, args []string) int {
	cmd := exec.Command(goCmd, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	fmt.Fprintf(os.Stderr, "gradbook: %v\n", err)
	return 1
}
