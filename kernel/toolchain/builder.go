package toolchain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// Builder builds cells for a session: each a library of its own that holds the
// cell and nothing else, and finds everything else in the session's program.
type Builder struct {
	index     Index
	held      []*os.File // the session's program and stub, as they were when the builder was made
	program   string     // a link to the one
	stub      string     // and to the other
	dir       string     // of the files that builds leave
	workspace string
	// Module returns the folder of the notebook's own module, for packages that
	// the host does not hold; "" means the workspace module.
	Module func() (string, error)
	// AutoGet is true if missing modules are fetched, as GoNB does.
	AutoGet bool
	// Dir is the notebook's folder, where go:embed looks for files.
	Dir string

	mu       sync.Mutex
	ctx      context.Context // of what an import has to do
	packages map[string]Package
	exports  types.Importer
	compile  []byte // compiler's table of imports
	link     []byte // linker's
}

// NewBuilder opens the host in the workspace. Files of the builds go to dir. The builder
// holds the host as it is now: setup may put another in its place while a kernel runs,
// for which its cells would not fit.
func NewBuilder(workspace, dir string) (*Builder, error) {
	host := filepath.Join(workspace, "session")
	content, err := os.ReadFile(filepath.Join(host, indexFile))
	if err != nil {
		return nil, err
	}
	b := &Builder{
		// The linker takes the name of a library for that of its hash.
		stub: filepath.Join(dir, HostProgram), program: filepath.Join(dir, "bin", HostProgram), dir: dir, workspace: workspace, AutoGet: true, ctx: context.Background(),
		packages: map[string]Package{},
	}
	if err := json.Unmarshal(content, &b.index); err != nil {
		return nil, fmt.Errorf("%s: %w", indexFile, err)
	}
	b.exports = exportImporter(token.NewFileSet(), func(path string) (string, bool) { p, ok := b.packages[path]; return p.Export, ok })
	if err := errors.Join(b.hold(filepath.Join(host, HostProgram), b.program), b.hold(filepath.Join(host, stubFile), b.stub)); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	b.add(b.index.Packages)
	return b, nil
}

// hold opens a file and makes a link by which this process's children find it, even when
// its own name has become another file's.
func (b *Builder) hold(path, link string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	b.held = append(b.held, f)
	if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
		return err
	}
	target := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), f.Fd())
	if !sameFile(target, f) {
		target = path // this is not the /proc of this process
	}
	return os.Symlink(target, link)
}

func sameFile(path string, f *os.File) bool {
	a, errA := os.Stat(path)
	b, errB := f.Stat()
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// Program is a path of the session's program, good until Close.
func (b *Builder) Program() string { return b.program }

// Close lets go of the host. Cells can no longer be built.
func (b *Builder) Close() error {
	var errs []error
	for _, f := range b.held {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

func (b *Builder) add(packages []Package) {
	for _, p := range packages {
		if _, ok := b.packages[p.Path]; ok {
			continue
		}
		b.packages[p.Path] = p
		b.compile = fmt.Appendf(b.compile, "packagefile %s=%s\n", p.Path, p.Export)
		if p.Host {
			b.link = fmt.Appendf(b.link, "packageshlib %s=%s\n", p.Path, b.stub)
		} else {
			b.link = fmt.Appendf(b.link, "packagefile %s=%s\n", p.Path, p.Export)
		}
	}
}

// Names returns the names of the importable packages by path.
func (b *Builder) Names() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	names := make(map[string]string, len(b.packages))
	for path, p := range b.packages {
		if Importable(path) {
			names[path] = p.Name
		}
	}
	return names
}

// SetContext sets what ends the commands that an import calls.
func (b *Builder) SetContext(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ctx = ctx
}

// Import implements [types.Importer]: from the host or, failing that, from the
// notebook's module, which is compiled if it must be.
func (b *Builder) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.packages[path]; !ok {
		if err := b.list(path); err != nil {
			return nil, err
		}
		if _, ok := b.packages[path]; !ok {
			return nil, fmt.Errorf("package %s is not in Go, in Gradbook or in the notebook's module; get it with: !*go get %s", path, path)
		}
	}
	return b.exports.Import(path)
}

// list compiles a package of the notebook's module, and what it needs.
func (b *Builder) list(path string) error {
	module := b.workspace
	if b.Module != nil {
		dir, err := b.Module()
		if err != nil {
			return err
		}
		if dir != "" {
			module = dir
		}
	}
	list := func() ([]byte, error) {
		return b.goCommand(module, "list", "-deps", "-export", "-trimpath", "-gcflags=all=-linkshared -dynlink",
			"-f", "{{if .Export}}{{.ImportPath}}\t{{.Name}}\t{{.Export}}{{end}}", "--", path)
	}
	out, err := list()
	if first, _, _ := strings.Cut(path, "/"); err != nil && b.AutoGet && strings.Contains(first, ".") && module != b.workspace {
		if _, e := b.goCommand(module, "get", path); e != nil {
			return e
		}
		out, err = list()
	}
	if err != nil {
		return err
	}
	var found []Package
	for line := range strings.Lines(string(out)) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) == 3 {
			found = append(found, Package{Path: f[0], Name: f[1], Export: f[2]})
		}
	}
	b.add(found)
	return nil
}

func (b *Builder) goCommand(dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(b.ctx, b.index.Go, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %s", args[0], lastLines(stderr.String(), 6))
	}
	return out, nil
}

// CompileError is what the compiler says of a cell.
type CompileError struct{ Output string }

func (e *CompileError) Error() string { return e.Output }

// Build compiles and links source, cell number n, and returns the library's path.
func (b *Builder) Build(ctx context.Context, n int, source []byte, embeds []string) (string, error) {
	b.mu.Lock()
	compile, link := bytes.Clone(b.compile), bytes.Clone(b.link)
	b.mu.Unlock()
	dir := filepath.Join(b.dir, fmt.Sprintf("cell%06d", n))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	path := func(name string) string { return filepath.Join(dir, name) }
	for name, content := range map[string][]byte{"cell.go": source, "compile.cfg": compile, "link.cfg": link} {
		if err := os.WriteFile(path(name), content, 0o600); err != nil {
			return "", err
		}
	}
	lang := "go" + strings.Join(strings.SplitN(strings.TrimPrefix(b.index.Version, "go"), ".", 3)[:2], ".")
	var extra []string
	if len(embeds) > 0 {
		config, err := embedConfig(b.Dir, embeds)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(path("embed.cfg"), config, 0o600); err != nil {
			return "", err
		}
		extra = []string{"-embedcfg", "embed.cfg"}
	}
	if out, err := b.tool(ctx, dir, "compile", append(extra, "-linkshared", "-dynlink", "-complete", "-nolocalimports", "-c=2", "-pack",
		"-lang="+lang, "-p", CellPath, "-trimpath", dir, "-importcfg", "compile.cfg", "-o", "cell.a", "cell.go")...); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", &CompileError{out}
	}
	if err := hideExports(path("cell.a")); err != nil {
		return "", err
	}
	if out, err := b.tool(ctx, dir, "link", "-linkshared", "-buildmode=plugin", "-s", "-w", "-pluginpath", CellPath, "-importcfg", "link.cfg",
		"-linkmode=external", "-tmpdir", dir, "-extld=true", "-o", "cell.out", "cell.a"); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("cannot link the cell: %w: %s", err, lastLines(out, 6))
	}
	object, err := os.ReadFile(path("go.o"))
	if err != nil {
		return "", err
	}
	if object, err = relink(object, n); err != nil {
		return "", err
	}
	if err := os.WriteFile(path("cell.o"), object, 0o600); err != nil {
		return "", err
	}
	objects, err := filepath.Glob(path("0*.o")) // of cgo, in packages of the notebook's module
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "ld", append([]string{"-shared", "-o", "cell.so", "cell.o"}, objects...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot link the cell: ld: %w: %s", err, lastLines(string(out), 6))
	}
	for _, name := range []string{"cell.a", "cell.o", "go.o", "compile.cfg", "link.cfg", "trivial.c"} {
		_ = os.Remove(path(name)) // what is left is removed with the folder
	}
	return path("cell.so"), nil
}

// hideExports renames the compiler's table of what a plugin exports, so that the
// linker finds none: a cell registers itself, and its upper-case names are no
// more public than the others.
func hideExports(archive string) error {
	content, err := os.ReadFile(archive)
	if err != nil {
		return err
	}
	for _, name := range []string{"go:plugin.tabs", "go:plugin.exports"} {
		content = bytes.ReplaceAll(content, []byte(name), []byte(name[:len(name)-1]+"X"))
	}
	return os.WriteFile(archive, content, 0o600)
}

func (b *Builder) tool(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(b.index.Tool, name), args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// embedConfig resolves the patterns of go:embed directives for the compiler.
func embedConfig(dir string, patterns []string) ([]byte, error) {
	config := struct {
		Patterns map[string][]string
		Files    map[string]string
	}{map[string][]string{}, map[string]string{}}
	for _, pattern := range patterns {
		glob := strings.TrimPrefix(strings.Trim(pattern, "\"`"), "all:")
		matches, err := filepath.Glob(filepath.Join(dir, glob))
		if err != nil || len(matches) == 0 {
			return nil, fmt.Errorf("go:embed: pattern %s: no matching files in %s", pattern, dir)
		}
		add := func(path string) error {
			abs, err := filepath.Abs(path)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			rel = filepath.ToSlash(rel)
			config.Patterns[pattern] = append(config.Patterns[pattern], rel)
			config.Files[rel] = abs
			return nil
		}
		for _, match := range matches {
			err := filepath.WalkDir(match, func(path string, d os.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				return add(path)
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return json.Marshal(config)
}
