package install

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/kernel/children"
	"github.com/gradbook/gradbook/kernel/gocmd"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

// Folders of a wheel's package, beside its programs in bin.
const (
	shippedSource  = "source"
	shippedSession = "session"
)

// installed returns the layout of a program that a wheel brought, that another packager put
// beside its source, or that `go install` built; ok is false of any other program.
func installed(exe string) (l Layout, ok bool, err error) {
	if pkg := filepath.Dir(filepath.Dir(exe)); filepath.Base(filepath.Dir(exe)) == "bin" && isCheckout(filepath.Join(pkg, shippedSource)) {
		state, err := stateDir(pkg)
		l := Layout{Root: filepath.Join(pkg, shippedSource), State: state}
		if exists(filepath.Join(pkg, "__init__.py")) {
			l.Shipped = pkg
		}
		return l, true, err
	}
	version, sum := builtFrom()
	if sum == "" {
		return Layout{}, false, nil
	}
	l.State, err = stateDir(version)
	if err == nil {
		l.Root, err = moduleSource(l.State, version, sum)
	}
	return l, true, err
}

// builtFrom is the version of Gradbook's module that this program was built from, as its
// main module or as a tool of another, and its sum, which only a version from a proxy has.
func builtFrom() (version, sum string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", ""
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == modulePath && m.Replace == nil {
			return m.Version, m.Sum
		}
	}
	return "", ""
}

// stateDir is the folder of what setup makes for an installation: a wheel's folder, or a
// version.
func stateDir(of string) (string, error) {
	name := of
	if filepath.IsAbs(of) {
		sum := sha256.Sum256([]byte(of))
		name = "wheel-" + hex.EncodeToString(sum[:4])
	}
	return cache.Dir("installed", name)
}

// moduleSource is the folder of a version's source, in Go's cache of modules; the go
// command fetches it if need be. Where it is is remembered, as to ask takes time.
func moduleSource(state, version, sum string) (string, error) {
	memory := filepath.Join(state, "source")
	if dir, err := os.ReadFile(memory); err == nil && isCheckout(string(dir)) {
		return string(dir), nil
	}
	goCmd, err := exec.LookPath("go")
	if err != nil {
		return "", errNoGo
	}
	cmd := exec.CommandContext(context.Background(), goCmd, "mod", "download", "-json", modulePath+"@"+version)
	cmd.Dir, cmd.Env = os.TempDir(), toolchain.Environ() // outside any module
	out, err := cmd.Output()
	var answer struct{ Dir, Sum, Error string }
	if e := json.Unmarshal(out, &answer); e != nil && err == nil {
		err = e
	}
	switch {
	case answer.Error != "":
		return "", fmt.Errorf("cannot get the source of %s %s: %s", modulePath, version, answer.Error)
	case err != nil:
		return "", fmt.Errorf("cannot get the source of %s %s: %w", modulePath, version, err)
	case answer.Sum != sum:
		return "", fmt.Errorf("%s %s: expected the sum %s, with which this program was built, got %s", modulePath, version, sum, answer.Sum)
	}
	return answer.Dir, cache.WriteFile(memory, []byte(answer.Dir), 0o644)
}

// shippedPython is the interpreter of the environment that holds a wheel's package: what
// started this program says which, and a kernel that Jupyter starts has no need of one.
func shippedPython(pkg string) string {
	if python := os.Getenv(PythonEnv); python != "" {
		return python
	}
	// lib/python3.X/site-packages/gradbook
	bin := filepath.Join(pkg, "..", "..", "..", "..", "bin", "python3")
	if exists(bin) {
		return filepath.Clean(bin)
	}
	return "python3"
}

// shippedGo is the go command that comes with the wheel, as a wheel of its own; "" without
// it.
func (l Layout) shippedGo() string {
	if l.Shipped == "" {
		return ""
	}
	path := filepath.Join(filepath.Dir(l.Shipped), "go", "bin", "go")
	if !exists(path) {
		return ""
	}
	return path
}

// Go is the go command: the one that came with a wheel, else the first on PATH that is not
// that of cells.
func (l Layout) Go() (string, error) {
	if path := l.shippedGo(); path != "" {
		return path, nil
	}
	path, err := exec.LookPath("go")
	if err != nil {
		if path, err = exec.LookPath(os.Getenv(gocmd.GoEnv)); err != nil {
			return "", errNoGo
		}
	}
	return realGo(l, path)
}

// Enter prepares this process's environment for the programs that it starts. A wheel brings
// its own Go, which keeps what it fetches and compiles apart from that of another Go, so
// that it can be removed; what the other has fetched already is found there.
func (l Layout) Enter() error {
	path := l.shippedGo()
	if path == "" {
		return nil
	}
	dir, err := cache.Dir("go")
	if err != nil {
		return err
	}
	if err := noteTelemetry(dir); err != nil {
		return err
	}
	set := map[string]string{"PATH": filepath.Dir(path) + string(os.PathListSeparator) + os.Getenv("PATH"), "GOFLAGS": strings.TrimSpace(os.Getenv("GOFLAGS") + " -modcacherw")}
	if os.Getenv("GOCACHE") == "" {
		set["GOCACHE"] = filepath.Join(dir, "build")
	}
	env, err := goEnvironment(path, "GOMODCACHE", "GOPROXY", "GOPATH")
	if err != nil {
		return err
	}
	if os.Getenv("GOPATH") == "" && !exists(env["GOPATH"]) {
		set["GOPATH"] = filepath.Join(dir, "path")
	}
	if os.Getenv("GOMODCACHE") == "" {
		set["GOMODCACHE"] = filepath.Join(dir, "mod")
		if fetched := filepath.Join(env["GOMODCACHE"], "cache", "download"); exists(fetched) && fetched != filepath.Join(dir, "mod", "cache", "download") {
			set["GOPROXY"] = "file://" + filepath.ToSlash(fetched) + "," + env["GOPROXY"]
		}
	}
	for name, value := range set {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// ourTelemetry is a file that says that no other Go has run for this user before ours, which
// keeps counts of its own use in the user's configuration, and sends them nowhere.
//
// Source: https://go.dev/doc/telemetry
const ourTelemetry = "telemetry"

// noteTelemetry writes that file, the first time.
func noteTelemetry(dir string) error {
	config, err := os.UserConfigDir()
	if err != nil || exists(dir) || exists(filepath.Join(config, "go")) {
		return nil //nolint:nilerr // without a home there are no counts
	}
	return cache.WriteFile(filepath.Join(dir, ourTelemetry), nil, 0o644)
}

// removeTelemetry removes what our Go has counted, where there is no other.
func removeTelemetry() error {
	file, err := cache.Dir("go", ourTelemetry)
	if err != nil || !exists(file) {
		return err
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(config, "go", "telemetry")); err != nil {
		return err
	}
	// The folders, if nothing else is in them.
	_ = os.Remove(filepath.Join(config, "go"))
	_ = os.Remove(config)
	return nil
}

func goEnvironment(goCmd string, names ...string) (map[string]string, error) {
	cmd := exec.CommandContext(context.Background(), goCmd, append([]string{"env", "-json"}, names...)...)
	cmd.Dir = os.TempDir()
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s env: %w", goCmd, err)
	}
	var env map[string]string
	return env, json.Unmarshal(out, &env)
}

// RemoveInstalled removes all that setup has made for installed programs of this user, and
// the other things in the cache folder, which nothing else uses.
func RemoveInstalled() (dir string, err error) {
	if dir, err = cache.Dir(); err != nil {
		return "", err
	}
	if !strings.Contains(filepath.Base(dir), "gradbook") && os.Getenv(cache.Env) == "" {
		return "", fmt.Errorf("expected a folder of gradbook's own, got %s", dir)
	}
	if err := removeTelemetry(); err != nil {
		return "", err
	}
	// Go lets nobody write to the folders of modules.
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(path, 0o700) //nolint:gosec // to remove it
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	return dir, os.RemoveAll(dir)
}

// unused is how long the files of another installation are kept: there may be several, as
// tools of modules.
const unused = 30 * 24 * time.Hour

// sweepInstalled removes what has been set up for installations that are gone: wheels whose
// folder is no more, and versions that nobody has used for a month. It leaves a mark of its
// own use.
func (l Layout) sweepInstalled() error {
	if l.IsCheckout() || len(children.Running()) > 0 {
		return nil
	}
	of := l.Shipped
	if of == "" {
		of = l.Root
	}
	if err := cache.WriteFile(l.dir(usedBy), []byte(of), 0o644); err != nil {
		return err
	}
	marks, err := filepath.Glob(filepath.Join(filepath.Dir(l.State), "*", usedBy))
	if err != nil {
		return err
	}
	for _, mark := range marks {
		of, err := os.ReadFile(mark)
		info, errInfo := os.Stat(mark)
		if err != nil || errInfo != nil || filepath.Dir(mark) == l.State {
			continue
		}
		if !exists(string(of)) || time.Since(info.ModTime()) > unused {
			_ = os.RemoveAll(filepath.Dir(mark)) // then it stays clutter
		}
	}
	return nil
}

// usedBy is a file with the folder of the installation that a folder of files is for; when
// it was written says when it was used.
const usedBy = "used-by"

// kind says what holds the program, and where.
func (l Layout) kind() string {
	switch {
	case l.Shipped != "":
		return "wheel " + l.Shipped + ", its files in " + l.State
	case l.IsCheckout():
		return "checkout " + l.Root
	}
	return "source " + l.Root + ", its files in " + l.State
}
