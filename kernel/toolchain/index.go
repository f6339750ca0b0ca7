package toolchain

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Way is a way to make libraries of cells.
type Way string

// The ways that there are.
const (
	// Shared links a cell against the session's program as if that were a shared
	// library: quick, and the library holds nothing but the cell. It depends on
	// details of Go's linker and of ELF.
	Shared Way = "shared"
	// Plugin links a cell as Go's plugins are, with a copy of all packages that it
	// imports. It takes longer, and works with any Go that has plugins.
	Plugin Way = "plugin"
)

// WayEnv names the environment variable that chooses the way.
const WayEnv = "GRADBOOK_LINKER"

// WaysOf are the ways that are possible on a platform, the best first; none where cells
// cannot be loaded into a session at all, and run as GoNB runs them, each a process of its
// own.
func WaysOf(goos, goarch string) []Way {
	switch goos + "/" + goarch {
	case "linux/amd64", "linux/arm64":
		return []Way{Shared, Plugin}
	case "darwin/amd64", "darwin/arm64":
		return []Way{Plugin}
	}
	return nil
}

// Supported says whether cells can be loaded into a session on this platform.
func Supported() bool { return len(WaysOf(runtime.GOOS, runtime.GOARCH)) > 0 }

// Ways are those that are possible on this platform, the best first, or the one that the
// environment asks for.
func Ways() ([]Way, error) {
	all := WaysOf(runtime.GOOS, runtime.GOARCH)
	asked := Way(os.Getenv(WayEnv))
	switch {
	case len(all) == 0 || asked == "":
		return all, nil
	case !slices.Contains(all, asked):
		return nil, fmt.Errorf("%s: expected one of %v on %s/%s, got %q", WayEnv, all, runtime.GOOS, runtime.GOARCH, asked)
	}
	return []Way{asked}, nil
}

// Package is a package that cells can import.
type Package struct {
	// Path is its import path, Name the name in its package clause.
	Path, Name string
	// Export is the file of its compiled form.
	Export string
	// Host is true if the session's program holds it.
	Host bool
	// Dir is the folder of its source if that is in a module that a person may edit.
	Dir string `json:",omitempty"`
	// Module is the module that it is of, and its version, as "example.com/m v1.2.3"; "" for
	// Go's own, and for modules that a person may edit.
	Module string `json:",omitempty"`
	// Version tells apart what it has been compiled to since it was imported, which is 0.
	Version int `json:",omitempty"`
}

// Index is what building the host left behind for the builds of cells.
type Index struct {
	// Way is how cells are linked.
	Way Way
	// Go is the go command, Tool the folder of its compiler and linker, Version its
	// version, Root its folder.
	Go, Tool, Version, Root string
	// Settings are those of Go's variables that the host was built with, and cells must
	// be, too.
	Settings map[string]string
	// Modules are the versions of the host's modules, by path.
	Modules map[string]string
	// Main is the fingerprint of the host's main package, Hash tells hosts apart.
	Main []byte
	Hash string
	// Overlay is the file that says which files of Go's the host has others for.
	Overlay string
	// Packages are the host's, sorted by path.
	Packages []Package
}

// Files of a built host, in its folder.
const (
	HostProgram = "session"
	indexFile   = "index.json"
	overlayFile = "overlay.json"
)

// HostDir is the folder of the host that is built for a way.
func HostDir(workspace string, w Way) string {
	if w == Shared {
		return filepath.Join(workspace, "session")
	}
	return filepath.Join(workspace, "session-"+string(w))
}

// HostBuilt says for which of the ways a host is there, the best first.
func HostBuilt(workspace string, ways ...Way) (Way, bool) {
	for _, w := range ways {
		dir := HostDir(workspace, w)
		if exists(filepath.Join(dir, HostProgram), filepath.Join(dir, indexFile)) {
			return w, true
		}
	}
	return "", false
}

// HostHash tells the host apart from others that there have been; "" if there is none.
func HostHash(workspace string, ways ...Way) string {
	way, ok := HostBuilt(workspace, ways...)
	if !ok {
		return ""
	}
	index, err := readIndex(HostDir(workspace, way))
	if err != nil {
		return ""
	}
	return index.Hash
}

// RemoveHost removes the host of a way, if there is one.
func RemoveHost(workspace string, w Way) error { return os.RemoveAll(HostDir(workspace, w)) }

func exists(paths ...string) bool {
	return !slices.ContainsFunc(paths, func(p string) bool { _, err := os.Stat(p); return err != nil })
}

func readIndex(dir string) (index Index, err error) {
	content, err := os.ReadFile(filepath.Join(dir, indexFile))
	if err != nil {
		return index, err
	}
	if err := json.Unmarshal(content, &index); err != nil {
		return index, fmt.Errorf("%s: %w", indexFile, err)
	}
	return index, nil
}

// language is the version of Go's language, for the compiler.
func (i Index) language() string {
	return "go" + strings.Join(strings.SplitN(strings.TrimPrefix(i.Version, "go"), ".", 3)[:2], ".")
}

// Importable says whether a cell may import path.
func Importable(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if part == "internal" || part == "vendor" {
			return false
		}
	}
	return path != "C"
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	if len(lines) > n {
		lines = append([]string{"…"}, lines[len(lines)-n:]...)
	}
	return strings.Join(lines, "\n")
}
