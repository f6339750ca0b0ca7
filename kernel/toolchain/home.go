package toolchain

import (
	"encoding/json"
	"fmt"
	"go/version"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

// Home is the module, or the workspace, of a person's that a notebook lies in. Cells can
// import its packages, with what go.mod and go.work say of versions and replacements.
type Home struct {
	// Dir is the folder of the module, or of the workspace.
	Dir string
	// Work is a go.work file that adds Gradbook's workspace module to the person's own.
	Work string
	// Modules are the folders of the modules.
	Modules []string

	replace []*modfile.Replace
	version string
	sum     []byte // of go.work.sum
}

// Env is the environment of go commands for the home. The session is built with one Go, so
// no other may be chosen.
func (h *Home) Env() []string {
	return []string{"GOWORK=" + h.Work, "GOTOOLCHAIN=local", "GOFLAGS=" + goFlags()}
}

// FindHome finds the module or workspace that dir lies in, as the go command does; nil if
// there is none, or if it is Gradbook's own.
func FindHome(goCmd, dir, gradbook string) (*Home, error) {
	cmd := exec.Command(goCmd, "env", "-json", "GOMOD", "GOWORK")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=", "GO111MODULE=on")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go env in %s: %w", dir, err)
	}
	var env struct{ GOMOD, GOWORK string }
	if err := json.Unmarshal(out, &env); err != nil {
		return nil, fmt.Errorf("go env in %s: %w", dir, err)
	}
	h := &Home{}
	switch {
	case env.GOWORK != "" && env.GOWORK != "off":
		err = h.readWork(env.GOWORK)
	case env.GOMOD != "" && env.GOMOD != os.DevNull:
		h.Dir = filepath.Dir(env.GOMOD)
		h.Modules = []string{h.Dir}
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, dir := range h.Modules {
		file := filepath.Join(dir, "go.mod")
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		mod, err := modfile.ParseLax(file, content, nil)
		if err != nil {
			return nil, err
		}
		if mod.Module == nil || mod.Module.Mod.Path == gradbook {
			return nil, nil
		}
		if mod.Go != nil {
			h.atLeast(mod.Go.Version)
		}
	}
	return h, nil
}

func (h *Home) atLeast(v string) {
	if version.Compare("go"+v, "go"+h.version) > 0 {
		h.version = v
	}
}

// readWork reads a person's go.work.
func (h *Home) readWork(file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	work, err := modfile.ParseWork(file, content, nil)
	if err != nil {
		return err
	}
	h.Dir = filepath.Dir(file)
	absolute := func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(h.Dir, filepath.FromSlash(path))
	}
	for _, u := range work.Use {
		h.Modules = append(h.Modules, absolute(u.Path))
	}
	for _, r := range work.Replace {
		if r.New.Version == "" {
			r.New.Path = absolute(r.New.Path)
		}
		h.replace = append(h.replace, r)
	}
	if work.Go != nil {
		h.atLeast(work.Go.Version)
	}
	if h.sum, err = os.ReadFile(file + ".sum"); os.IsNotExist(err) {
		err = nil
	}
	return err
}

// With writes a go.work file that has the home's modules and another module, which has
// Gradbook's requirements, and returns the home with it.
func (h *Home) With(module, file string) (*Home, error) {
	with := *h
	with.Work = file
	content, err := os.ReadFile(filepath.Join(module, "go.mod"))
	if err != nil {
		return nil, err
	}
	mod, err := modfile.ParseLax("go.mod", content, nil)
	if err != nil {
		return nil, err
	}
	if mod.Go != nil {
		with.atLeast(mod.Go.Version)
	}
	work := &modfile.WorkFile{Syntax: &modfile.FileSyntax{}}
	if err := work.AddGoStmt(with.version); err != nil {
		return nil, err
	}
	for _, dir := range append([]string{module}, h.Modules...) {
		if err := work.AddUse(dir, ""); err != nil {
			return nil, err
		}
	}
	for _, r := range h.replace {
		if err := work.AddReplace(r.Old.Path, r.Old.Version, r.New.Path, r.New.Version); err != nil {
			return nil, err
		}
	}
	work.Cleanup()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, modfile.Format(work.Syntax), 0o600); err != nil {
		return nil, err
	}
	return &with, os.WriteFile(file+".sum", h.sum, 0o600)
}
