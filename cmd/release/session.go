package main

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// tools are the programs beside the kernel, which are pure Go.
var tools = []string{"github.com/janpfeifer/gonb", "golang.org/x/tools/gopls", "golang.org/x/tools/cmd/goimports"}

// buildTools compiles them for a platform into dir.
func buildTools(goos, goarch, dir string) error {
	module, err := os.MkdirTemp("", "tools-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(module) //nolint:errcheck // a leftover is only clutter
	for to, from := range map[string]string{"go.mod": "tools.mod", "go.sum": "tools.sum"} {
		content, err := os.ReadFile(filepath.Join("kernel", "install", "tools", from))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(module, to), content, 0o600); err != nil {
			return err
		}
	}
	for _, pkg := range tools {
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", filepath.Join(dir, filepath.Base(pkg)), pkg)
		cmd.Dir = module
		cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s for %s/%s: %w\n%s", pkg, goos, goarch, err, out)
		}
	}
	return nil
}

// session puts the session's program of a platform into dir, where there can be one: it is
// built here for this platform; for another it is taken from .gradbook/sessions, where
// docker/arm64.sh puts it. It is false where there is none.
func session(platform, dir string) (bool, error) {
	if platform == runtime.GOOS+"/"+runtime.GOARCH && runtime.GOOS == "linux" {
		return true, buildSession(dir)
	}
	built := filepath.Join(".gradbook", "sessions", strings.ReplaceAll(platform, "/", "-"))
	commit, err := os.ReadFile(filepath.Join(built, "commit"))
	if os.IsNotExist(err) {
		fmt.Printf("no session for %s: it is compiled where the wheel is installed\n", platform)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	head, err := output("git", "rev-parse", "HEAD")
	if err != nil {
		return false, err
	}
	if strings.TrimSpace(string(commit)) != strings.TrimSpace(head) {
		return false, fmt.Errorf("%s is of the commit %s; build it anew, or remove it", built, strings.TrimSpace(string(commit)))
	}
	return true, os.CopyFS(dir, os.DirFS(filepath.Join(built, "session")))
}

// buildSession sets the commit up elsewhere with the Go that wheels bring, and has it packed
// into dir.
func buildSession(dir string) error {
	version, err := goVersion()
	if err != nil {
		return err
	}
	clone, err := filepath.Abs(filepath.Join(".gradbook", "dist"))
	if err != nil {
		return err
	}
	if err := os.RemoveAll(clone); err != nil {
		return err
	}
	if _, err := output("git", "clone", "-q", ".", clone); err != nil {
		return err
	}
	defer os.RemoveAll(clone) //nolint:errcheck // a leftover is only clutter
	fmt.Printf("building the session with go%s\n", version)
	for _, args := range [][]string{{"make", "-s", "setup"}, {filepath.Join(".gradbook", "bin", "gradbook"), "pack", dir}} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir, cmd.Env = clone, append(os.Environ(), "GOTOOLCHAIN=go"+version, "GRADBOOK_LINKER=shared")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

// sessionTag is the tag of the platform for a session's program: of the C library, it needs
// the version with the newest of the symbols that it uses.
//
// Source: https://peps.python.org/pep-0600/
func sessionTag(program, arch string) (string, error) {
	f, err := elf.Open(program)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // only read from
	symbols, err := f.ImportedSymbols()
	if err != nil {
		return "", err
	}
	newest := 17
	for _, s := range symbols {
		if v, ok := strings.CutPrefix(s.Version, "GLIBC_2."); ok {
			minor, err := strconv.Atoi(strings.SplitN(v, ".", 2)[0])
			if err != nil {
				return "", fmt.Errorf("%s: the symbol %s of version %s", program, s.Name, s.Version)
			}
			newest = max(newest, minor)
		}
	}
	return fmt.Sprintf("manylinux_2_%d_%s", newest, arch), nil
}
