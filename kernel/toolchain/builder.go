package toolchain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Builder builds cells for a session. Its methods may be called by several goroutines.
type Builder struct {
	index     Index
	held      *os.File // the session's program, as it was when the builder was made
	program   string   // a link to it
	dir       string   // of the files that builds leave
	workspace string
	linker    Linker

	mu       sync.Mutex
	settings Settings
	packages map[string]Package
	exports  types.Importer
	compile  []byte               // compiler's table of imports
	link     []byte               // linker's
	own      []string             // archives of packages that are linked into cells
	edited   map[string]time.Time // when packages that a person may edit were, by path
}

// Settings are what a notebook may change of its builds.
type Settings struct {
	// Module returns the folder of the notebook's own module, for packages that the
	// host does not hold; "" means the workspace module.
	Module func() (string, error)
	// NoAutoGet is true if missing modules are not fetched.
	NoAutoGet bool
	// Dir is the notebook's folder, where go:embed looks for files.
	Dir string
}

// NewBuilder opens the host in the workspace, the best of those that the ways allow.
// Files of the builds go to dir. The builder holds the host as it is now: setup may put
// another in its place while a kernel runs, for which its cells would not fit.
func NewBuilder(workspace, dir string, ways ...Way) (*Builder, error) {
	way, ok := HostBuilt(workspace, ways...)
	if !ok {
		return nil, fmt.Errorf("the session's program is not built for %v; run: make setup", ways)
	}
	host := HostDir(workspace, way)
	index, err := readIndex(host)
	if err != nil {
		return nil, err
	}
	b := &Builder{index: index, program: filepath.Join(dir, "bin", HostProgram), dir: dir, workspace: workspace}
	if err := b.hold(filepath.Join(host, HostProgram), b.program); err != nil {
		return nil, err
	}
	b.linker = pluginLinker{b}
	if way == Shared {
		if b.linker, err = newSharedLinker(b); err != nil {
			return nil, errors.Join(err, b.held.Close())
		}
	}
	b.Renew()
	return b, nil
}

// Renew forgets the packages that the host does not hold, for a session that has none of
// them: they are compiled anew when they are imported.
func (b *Builder) Renew() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.packages, b.edited, b.compile, b.link, b.own = map[string]Package{}, map[string]time.Time{}, nil, nil, nil
	b.exports = exportImporter(token.NewFileSet(), func(path string) (string, bool) { p, ok := b.packages[path]; return p.Export, ok })
	b.add(b.index.Packages)
}

// hold opens a file and makes a link by which this process's children find it, even when
// its own name has become another file's.
func (b *Builder) hold(path, link string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
		return errors.Join(err, f.Close())
	}
	b.held = f
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

// Way is how cells are linked.
func (b *Builder) Way() Way { return b.index.Way }

// Root is the folder of the Go that the session is built with.
func (b *Builder) Root() string { return b.index.Root }

// HostModule is the version of a module that the session holds; "" if it holds none.
func (b *Builder) HostModule(path string) string { return b.index.Modules[path] }

// Close lets go of the host. Cells can no longer be built.
func (b *Builder) Close() error { return errors.Join(b.linker.Close(), b.held.Close()) }

// Set changes the settings.
func (b *Builder) Set(change func(*Settings)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.settings)
}

func (b *Builder) add(packages []Package) {
	for _, p := range packages {
		if _, ok := b.packages[p.Path]; ok {
			continue
		}
		b.packages[p.Path] = p
		if p.Dir != "" {
			b.edited[p.Path] = lastEdit(p.Dir)
		}
		b.compile = fmt.Appendf(b.compile, "packagefile %s=%s\n", p.Path, p.Export)
		if p.Host && b.index.Way == Shared {
			b.link = fmt.Appendf(b.link, "packageshlib %s=%s\n", p.Path, HostProgram)
		} else {
			b.link = fmt.Appendf(b.link, "packagefile %s=%s\n", p.Path, p.Export)
			b.own = append(b.own, p.Export)
		}
	}
}

// Edited returns the packages whose source has been edited since they were imported or
// this was asked last, sorted by path: what the session has of them is older.
func (b *Builder) Edited() (paths []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for path, before := range b.edited {
		if now := lastEdit(b.packages[path].Dir); !now.Equal(before) {
			b.edited[path] = now
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// lastEdit is when a file of a package was edited last, or one was added or removed.
func lastEdit(dir string) (last time.Time) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return last // of a name that is no pattern
	}
	for _, name := range append(names, dir) {
		if info, err := os.Stat(name); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}

// Packages are what cells can import. The end of ctx ends the commands that an import
// has to call.
func (b *Builder) Packages(ctx context.Context) *Packages { return &Packages{b, ctx} }

// Packages implements [cell.Packages].
type Packages struct {
	b   *Builder
	ctx context.Context //nolint:containedctx // of one cell
}

// Names returns the names of the importable packages by path.
func (p *Packages) Names() map[string]string {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	names := map[string]string{"unsafe": "unsafe"}
	for path, p := range p.b.packages {
		if Importable(path) {
			names[path] = p.Name
		}
	}
	return names
}

// Import implements [types.Importer]: from the host or, failing that, from the
// notebook's module, which is compiled if it must be.
func (p *Packages) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	b := p.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.packages[path]; !ok {
		if err := b.list(p.ctx, path); err != nil {
			return nil, err
		}
		if _, ok := b.packages[path]; !ok {
			return nil, fmt.Errorf("package %s is not in Go, in Gradbook or in the notebook's module; get it with: !*go get %s", path, path)
		}
	}
	return b.exports.Import(path)
}

// list compiles a package of the notebook's module, and what it needs.
func (b *Builder) list(ctx context.Context, path string) error {
	module := b.workspace
	if b.settings.Module != nil {
		dir, err := b.settings.Module()
		if err != nil {
			return err
		}
		if dir != "" {
			module = dir
		}
	}
	list := func() ([]byte, error) {
		args := append([]string{"list", "-deps", "-export", "-overlay=" + b.index.Overlay, "-f", listFormat}, b.index.Way.moduleFlags()...)
		return b.goCommand(ctx, module, append(args, "--", path)...)
	}
	out, err := list()
	if first, _, _ := strings.Cut(path, "/"); err != nil && !b.settings.NoAutoGet && strings.Contains(first, ".") && module != b.workspace {
		if _, e := b.goCommand(ctx, module, "get", path); e != nil {
			return e
		}
		out, err = list()
	}
	if err != nil {
		return err
	}
	b.add(parseList(out))
	return nil
}

func (b *Builder) goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, b.index.Go, args...)
	cmd.Dir, cmd.Env = dir, b.environ()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %s", args[0], lastLines(stderr.String(), 6))
	}
	return out, nil
}

// environ is the environment of Go's tools: what the host was built with.
func (b *Builder) environ(extra ...string) []string {
	for name, value := range maps.All(b.index.Settings) {
		extra = append(extra, name+"="+value)
	}
	return Environ(append(extra, "CGO_ENABLED=1")...)
}

func (b *Builder) tool(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(b.index.Tool, name), args...)
	cmd.Dir, cmd.Env = dir, b.environ()
	out, err := cmd.CombinedOutput()
	return string(out), err
}
