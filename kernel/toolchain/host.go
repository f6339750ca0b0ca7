package toolchain

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sort"
	"strings"

	"github.com/gradbook/gradbook/dl/cache"
)

//go:embed host/main.go.txt
var hostMain string

//go:embed host/keep.go.txt
var hostKeep string

//go:embed host/keep.s.txt
var hostKeepAsm string

// Supported says whether cells can be loaded into a session on this platform.
// Elsewhere they run as GoNB runs them, each a process of its own.
func Supported() bool { return runtime.GOOS == "linux" && runtime.GOARCH == "amd64" }

// Package is a package that cells can import.
type Package struct {
	// Path is its import path, Name the name in its package clause.
	Path, Name string
	// Export is the file of its compiled form.
	Export string
	// Host is true if the session's program holds it.
	Host bool
}

// Index is what building the host left behind for the builds of cells.
type Index struct {
	// Go is the go command, Tool the folder of its compiler and linker, Version
	// its version.
	Go, Tool, Version string
	// Packages are the host's, sorted by path.
	Packages []Package
}

// Files of a built host, in its folder.
const (
	HostProgram = "session"
	stubFile    = "session.stub"
	indexFile   = "index.json"
)

// hostRoots are the packages that the session holds from the beginning, beside
// Go's own: what notebooks import.
var hostRoots = []string{
	"std",
	"github.com/gradbook/gradbook/kernel/session",
	"github.com/gradbook/gradbook/dl/...",
	"github.com/gradbook/gradbook/viz",
	"github.com/gradbook/gradbook/viz/widgets",
	"github.com/gradbook/gradbook/datasets",
	"github.com/gradbook/gradbook/notebooks/claim",
	"github.com/go-echarts/go-echarts/v2/...",
	"github.com/janpfeifer/gonb/gonbui",
	"github.com/janpfeifer/gonb/gonbui/comms",
	"github.com/janpfeifer/gonb/gonbui/dom",
	"github.com/janpfeifer/gonb/gonbui/widgets",
	"github.com/janpfeifer/gonb/cache",
	"github.com/gomlx/gomlx/core/graph",
	"github.com/gomlx/gomlx/core/tensors",
}

// listFlags build packages so that cells can refer to them by name: the
// compiler's own switch for code that is linked against shared libraries.
var listFlags = []string{"-trimpath", "-gcflags=all=-linkshared"}

// BuildHost builds the session's program in the workspace module dir, and what
// cells are linked against. The result is in dir/session.
func BuildHost(ctx context.Context, goCmd, workspace string, env []string) error {
	dir := filepath.Join(workspace, "session")
	if err := os.MkdirAll(filepath.Join(dir, "keep"), 0o755); err != nil {
		return err
	}
	run := func(args ...string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, goCmd, args...)
		cmd.Dir, cmd.Env = workspace, env
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go %s: %w: %s", args[0], err, lastLines(stderr.String(), 12))
		}
		return out, nil
	}
	list := append(append([]string{"list", "-deps", "-export", "-f", "{{if .Export}}{{.ImportPath}}\t{{.Name}}\t{{.Export}}{{end}}"}, listFlags...), hostRoots...)
	out, err := run(list...)
	if err != nil {
		return err
	}
	index := Index{Go: goCmd}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) == 3 && f[1] != "main" {
			index.Packages = append(index.Packages, Package{Path: f[0], Name: f[1], Export: f[2], Host: true})
		}
	}
	sort.Slice(index.Packages, func(i, j int) bool { return index.Packages[i].Path < index.Packages[j].Path })
	if out, err = run("env", "GOTOOLDIR", "GOVERSION"); err != nil {
		return err
	}
	lines := strings.Fields(string(out))
	if len(lines) != 2 {
		return fmt.Errorf("go env: expected GOTOOLDIR and GOVERSION, got %q", out)
	}
	index.Tool, index.Version = lines[0], lines[1]

	kept, err := keepSource(index.Packages)
	if err != nil {
		return err
	}
	runtimeKept, err := keepRuntime(run, index.Packages)
	if err != nil {
		return err
	}
	encoded, err := json.MarshalIndent(index, "", "\t")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(append(encoded, kept...))
	hash := hex.EncodeToString(sum[:])[:20]
	for name, content := range map[string]string{
		"main.go":         strings.ReplaceAll(hostMain, "@HASH@", hash),
		"kept.go":         string(kept),
		"keep/keep.go":    hostKeep,
		"keep/runtime.go": runtimeKept,
		"keep/keep.s":     hostKeepAsm,
	} {
		if err := cache.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	build := append(append([]string{"build", "-o", filepath.Join(dir, HostProgram)}, listFlags...), "-ldflags=-checklinkname=0", "./session")
	if _, err := run(build...); err != nil {
		return err
	}
	stub, err := stubOf(filepath.Join(dir, HostProgram), hash)
	if err != nil {
		return err
	}
	if err := cache.WriteFile(filepath.Join(dir, stubFile), stub, 0o644); err != nil {
		return err
	}
	return cache.WriteFile(filepath.Join(dir, indexFile), encoded, 0o644)
}

// HostFlags are the flags with which the host and what it holds are built.
func HostFlags() []string { return slices.Clone(listFlags) }

// HostBuilt says whether a host is there to build cells for.
func HostBuilt(workspace string) bool {
	for _, name := range []string{HostProgram, stubFile, indexFile} {
		if _, err := os.Stat(filepath.Join(workspace, "session", name)); err != nil {
			return false
		}
	}
	return true
}

// keepSource refers to everything that packages export, so that the linker
// leaves nothing out of the host that a cell might call.
func keepSource(packages []Package) ([]byte, error) {
	var imports, body bytes.Buffer
	files := map[string]string{}
	for _, p := range packages {
		files[p.Path] = p.Export
	}
	exports := exportImporter(token.NewFileSet(), func(path string) (string, bool) { f, ok := files[path]; return f, ok })
	for i, p := range packages {
		if !Importable(p.Path) || p.Path == "unsafe" {
			continue
		}
		pkg, err := exports.Import(p.Path)
		if err != nil {
			return nil, err
		}
		refs := keepRefs(pkg, fmt.Sprintf("p%d", i))
		if len(refs) == 0 {
			continue
		}
		fmt.Fprintf(&imports, "\tp%d %q\n", i, p.Path)
		fmt.Fprintf(&body, "\tfunc() []any { return []any{\n\t\t%s,\n\t} },\n", strings.Join(refs, ",\n\t\t"))
	}
	return fmt.Appendf(nil, "// Code generated by gradbook setup. DO NOT EDIT.\n\npackage main\n\nimport (\n%s)\n\nvar kept = []func() []any{\n%s}\n", imports.String(), body.String()), nil
}

var builtin = regexp.MustCompile(`(?m)^func (\w+)\(`)

// keepRuntime refers to the functions of Go's runtime that compiled code calls,
// of which the host may happen not to need some.
//
// Source: cmd/compile/internal/typecheck/_builtin/runtime.go.
func keepRuntime(run func(...string) ([]byte, error), packages []Package) (string, error) {
	const head = "// Code generated by gradbook setup. DO NOT EDIT.\n\npackage keep\n\nimport _ \"unsafe\"\n\n"
	out, err := run("env", "GOROOT")
	if err != nil {
		return "", err
	}
	list, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "src/cmd/compile/internal/typecheck/_builtin/runtime.go"))
	if err != nil {
		// A Go without its compiler's source: most is there anyway.
		return head + "// Runtime is never called.\nvar Runtime []func()\n", nil //nolint:nilerr // see above
	}
	var archive string
	for _, p := range packages {
		if p.Path == "runtime" {
			archive = p.Export
		}
	}
	symbols, err := run("tool", "nm", archive)
	if err != nil {
		return "", err
	}
	defined := map[string]bool{}
	for line := range strings.Lines(string(symbols)) {
		if f := strings.Fields(line); len(f) >= 3 && f[len(f)-2] == "T" {
			defined[f[len(f)-1]] = true
		}
	}
	var b, calls strings.Builder
	b.WriteString(head)
	for _, m := range builtin.FindAllStringSubmatch(string(list), -1) {
		if name := m[1]; defined["runtime."+name] {
			fmt.Fprintf(&b, "//go:linkname %sʹ runtime.%s\nfunc %sʹ()\n\n", name, name, name)
			fmt.Fprintf(&calls, "\t%sʹ,\n", name)
		}
	}
	fmt.Fprintf(&b, "// Runtime is never called.\nvar Runtime = []func(){\n%s}\n", calls.String())
	return b.String(), nil
}

// exportImporter reads packages from what the compiler has exported of them.
func exportImporter(fset *token.FileSet, file func(path string) (string, bool)) types.Importer {
	return importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		name, ok := file(path)
		if !ok {
			return nil, fmt.Errorf("package %s has not been compiled", path)
		}
		return os.Open(name)
	})
}

// keepRefs are expressions for all that pkg, imported as name, exports. What is
// generic is compiled where it is used.
func keepRefs(pkg *types.Package, name string) []string {
	var refs []string
	for _, id := range pkg.Scope().Names() {
		o := pkg.Scope().Lookup(id)
		if !o.Exported() {
			continue
		}
		switch o := o.(type) {
		case *types.Func:
			if o.Signature().TypeParams().Len() == 0 {
				refs = append(refs, name+"."+id)
			}
		case *types.Var:
			refs = append(refs, "&"+name+"."+id)
		case *types.TypeName:
			if a, ok := o.Type().(*types.Alias); ok && a.TypeParams().Len() > 0 {
				continue
			}
			t := types.Unalias(o.Type())
			if n, ok := t.(*types.Named); ok && n.TypeParams().Len() > n.TypeArgs().Len() {
				continue
			}
			if i, ok := t.Underlying().(*types.Interface); ok && !i.IsMethodSet() {
				continue
			}
			refs = append(refs, "(*"+name+"."+id+")(nil)")
		}
	}
	return refs
}

// Importable says whether a cell may import path.
func Importable(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if part == "internal" || part == "vendor" {
			return false
		}
	}
	return path != "runtime/cgo" && path != "C"
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	if len(lines) > n {
		lines = append([]string{"…"}, lines[len(lines)-n:]...)
	}
	return strings.Join(lines, "\n")
}
