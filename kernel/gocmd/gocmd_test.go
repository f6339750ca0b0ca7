package gocmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain lets the test's own program be the go command of a cell.
func TestMain(m *testing.M) {
	if os.Getenv("GRADBOOK_TEST_AS_GO") == "1" {
		os.Exit(Main(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// cellGo runs the go command of a cell.
func cellGo(t *testing.T, dir, workspace string, args ...string) (string, error) {
	t.Helper()
	goCmd, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GRADBOOK_TEST_AS_GO=1", GoEnv+"="+goCmd, WorkspaceEnv+"="+workspace, "GOPROXY=off", "GOFLAGS=", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestSeed builds a cell that imports what only the workspace module requires.
func TestSeed(t *testing.T) {
	dir := t.TempDir()
	lib, workspace, cell := filepath.Join(dir, "lib"), filepath.Join(dir, "workspace"), filepath.Join(dir, "gonb_1")
	write(t, filepath.Join(lib, "go.mod"), "module example.com/lib\n\ngo 1.26\n")
	write(t, filepath.Join(lib, "lib.go"), "package lib\n\nfunc Answer() int { return 42 }\n")
	write(t, filepath.Join(workspace, "go.mod"), "module w\n\ngo 1.26\n\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => "+lib+"\n")
	write(t, filepath.Join(workspace, "go.sum"), "")
	write(t, filepath.Join(cell, "main.go"), "package main\n\nimport \"example.com/lib\"\n\nfunc main() { println(lib.Answer()) }\n")
	if out, err := cellGo(t, cell, workspace, "mod", "init", "gonb_1"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	mod, err := os.ReadFile(filepath.Join(cell, "go.mod"))
	if err != nil || !strings.HasPrefix(string(mod), "module gonb_1\n") {
		t.Errorf("expected the cell's own module name, got %s, %v", mod, err)
	}
	// A module that a person makes from a cell is his own.
	mine := filepath.Join(dir, "mine")
	if err := os.Mkdir(mine, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := cellGo(t, mine, workspace, "mod", "init", "example.com/mine"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if mod, err := os.ReadFile(filepath.Join(mine, "go.mod")); err != nil || strings.Contains(string(mod), "lib") {
		t.Errorf("a module of one's own was seeded: %s, %v", mod, err)
	}
	// What GoNB does with each cell.
	if out, err := cellGo(t, cell, workspace, "get"); err != nil {
		t.Errorf("go get: %v: %s", err, out)
	}
	if out, err := cellGo(t, cell, workspace, "run", "."); err != nil || strings.TrimSpace(out) != "42" {
		t.Errorf("expected 42, got %s, %v", out, err)
	}
}

// TestFrontend: a notebook whose workspace has Gradbook shows viz's charts, as each cell's
// program has the front end; nothing else in it does.
func TestFrontend(t *testing.T) {
	dir := t.TempDir()
	lib, workspace, cell := filepath.Join(dir, "lib"), filepath.Join(dir, "workspace"), filepath.Join(dir, "gonb_1")
	write(t, filepath.Join(lib, "go.mod"), "module "+gradbook+"\n\ngo 1.26\n")
	write(t, filepath.Join(lib, "viz", "gonb", "gonb.go"), "package gonb\n\nfunc init() { println(\"front end\") }\n")
	write(t, filepath.Join(workspace, "go.mod"), "module w\n\ngo 1.26\n\nrequire "+gradbook+" v0.0.0\n\nreplace "+gradbook+" => "+lib+"\n")
	write(t, filepath.Join(workspace, "go.sum"), "")
	write(t, filepath.Join(cell, "main.go"), "package main\n\nfunc main() { println(42) }\n")
	if out, err := cellGo(t, cell, workspace, "mod", "init", "gonb_1"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := cellGo(t, cell, workspace, "get"); err != nil {
		t.Errorf("go get: %v: %s", err, out)
	}
	if out, err := cellGo(t, cell, workspace, "run", "."); err != nil || strings.TrimSpace(out) != "front end\n42" {
		t.Errorf("expected the front end and 42, got %s, %v", out, err)
	}
}

// TestPassedOn: the exit status of other commands is the real one's.
func TestPassedOn(t *testing.T) {
	dir := t.TempDir()
	if out, err := cellGo(t, dir, dir, "env", "GOOS"); err != nil || strings.TrimSpace(out) == "" {
		t.Errorf("go env: got %q, %v", out, err)
	}
	if out, err := cellGo(t, dir, dir, "no-such-command"); err == nil || !strings.Contains(out, "no-such-command") {
		t.Errorf("expected the go command's own error, got %q, %v", out, err)
	}
	// A second init fails as it does without us, and changes nothing.
	write(t, filepath.Join(dir, "go.mod"), "module mine\n")
	if _, err := cellGo(t, dir, dir, "mod", "init", "x"); err == nil {
		t.Error("expected go mod init to fail in a module")
	}
	if mod, err := os.ReadFile(filepath.Join(dir, "go.mod")); err != nil || string(mod) != "module mine\n" {
		t.Errorf("go.mod was changed: %s, %v", mod, err)
	}
}

func TestNoWorkspace(t *testing.T) {
	cell := filepath.Join(t.TempDir(), "gonb_2")
	if err := os.Mkdir(cell, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := cellGo(t, cell, filepath.Join(t.TempDir(), "gone"), "mod", "init", "gonb_2")
	if err == nil || !strings.Contains(out, "gradbook setup") {
		t.Errorf("expected an error that names gradbook setup, got %q, %v", out, err)
	}
}
