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
	"strings"
	"sync"

	"github.com/gradbook/gradbook/kernel/cell"
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
	packages map[string]Package // by the paths that cells import
	known    map[string]string  // the files of all that have been compiled, by the paths of types
	order    []string           // paths, in which they came
	versions int                // how many packages have been compiled anew
	exports  types.Importer
	edited   map[string]string // what the files of packages that a person may edit were, by path
}

// Settings are what a notebook may change of its builds.
type Settings struct {
	// Module returns the folder of the notebook's own module, for packages that the
	// host does not hold; "" means the workspace module.
	Module func() (string, error)
	// Home is the module or workspace of the person's that the notebook lies in; nil if it
	// lies in none. It goes before Module.
	Home *Home
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
	b.packages, b.known, b.edited, b.order = map[string]Package{}, map[string]string{}, map[string]string{}, nil
	b.exports = exportImporter(token.NewFileSet(), func(path string) (string, bool) { file, ok := b.known[path]; return file, ok })
	for _, p := range b.index.Packages {
		b.replace(p)
	}
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

// Home is the module of a person's that the notebook lies in; nil if there is none.
func (b *Builder) Home() *Home {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.settings.Home
}

// Workspace is the folder of the workspace module.
func (b *Builder) Workspace() string { return b.workspace }

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

// add takes packages in that are not known yet. Of those that the session holds, others may
// ask for another version, which cannot be had beside it.
func (b *Builder) add(packages []Package) error {
	for _, p := range packages {
		have, ok := b.packages[p.Path]
		if !ok {
			b.replace(p)
		} else if have.Host && have.Module != p.Module {
			return fmt.Errorf("package %s is of %s there, and of %s in the session; restart the kernel, and the session is built with the versions that your module asks for", p.Path, orNone(p.Module), orNone(have.Module))
		}
	}
	return nil
}

func orNone(module string) string {
	if module == "" {
		return "a folder"
	}
	return module
}

// replace has a package be the one of its path.
func (b *Builder) replace(p Package) {
	if _, ok := b.packages[p.Path]; !ok {
		b.order = append(b.order, p.Path)
	}
	b.packages[p.Path] = p
	b.known[p.linkPath()] = p.Export
	if p.Dir != "" {
		b.edited[p.Path] = stateOf(p.Dir)
	}
}

// compileConfig is the compiler's table of imports.
func (b *Builder) compileConfig() (config []byte) {
	for _, path := range b.order {
		p := b.packages[path]
		if p.Version > 0 {
			config = fmt.Appendf(config, "importmap %s=%s\n", path, p.linkPath())
		}
		config = fmt.Appendf(config, "packagefile %s=%s\n", p.linkPath(), p.Export)
	}
	return config
}

// linkConfig is the linker's, and the archives of packages that are linked into cells.
func (b *Builder) linkConfig() (config []byte, own []string) {
	for _, path := range b.order {
		p := b.packages[path]
		if p.Host && b.index.Way == Shared {
			config = fmt.Appendf(config, "packageshlib %s=%s\n", p.Path, HostProgram)
			continue
		}
		config = fmt.Appendf(config, "packagefile %s=%s\n", p.linkPath(), p.Export)
		own = append(own, p.Export)
	}
	return config, own
}

// stateOf tells apart what the files of a package are: names, sizes and times, so that one
// that is put back, with its old time, is another, too.
func stateOf(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, e := range entries {
		switch filepath.Ext(e.Name()) {
		case ".go", ".c", ".h", ".s", ".S":
			if info, err := e.Info(); err == nil {
				fmt.Fprintf(&b, "%s %d %d\n", e.Name(), info.Size(), info.ModTime().UnixNano())
			}
		}
	}
	return b.String()
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
	if _, ok := b.known[path]; ok && strings.Contains(path, cell.VersionSign) { // of a type
		return b.exports.Import(path)
	}
	if _, ok := b.packages[path]; !ok {
		if err := b.list(p.ctx, path); err != nil {
			return nil, err
		}
		if _, ok := b.packages[path]; !ok {
			return nil, fmt.Errorf("package %s is not in Go, in Gradbook or in the notebook's module; get it with: !*go get %s", path, path)
		}
	}
	return b.exports.Import(b.packages[path].linkPath())
}

// module is where go commands for the notebook's packages run, and what they need of the
// environment.
func (b *Builder) module() (dir string, env []string, err error) {
	if h := b.settings.Home; h != nil {
		return h.Dir, h.Env(), nil
	}
	if b.settings.Module != nil {
		dir, err = b.settings.Module()
	}
	if dir == "" {
		dir = b.workspace
	}
	return dir, nil, err
}

// list compiles packages of the notebook's module, and what they need.
func (b *Builder) list(ctx context.Context, paths ...string) error {
	module, env, err := b.module()
	if err != nil {
		return err
	}
	list := func() ([]byte, error) {
		args := append([]string{"list", "-deps", "-export", "-overlay=" + b.index.Overlay, "-f", listFormat}, b.index.Way.moduleFlags()...)
		return b.goCommand(ctx, module, env, append(append(args, "--"), paths...)...)
	}
	out, err := list()
	if first, _, _ := strings.Cut(paths[0], "/"); err != nil && len(paths) == 1 && b.mayGet(module) && strings.Contains(first, ".") {
		if _, e := b.goCommand(ctx, module, env, "get", paths[0]); e != nil {
			return e
		}
		out, err = list()
	}
	if err != nil {
		return err
	}
	return b.add(parseList(out))
}

// mayGet says whether modules that are missing are fetched: never into a person's own
// module, which is a file of the person's.
func (b *Builder) mayGet(module string) bool {
	return !b.settings.NoAutoGet && module != b.workspace && b.settings.Home == nil
}

func (b *Builder) goCommand(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, b.index.Go, args...)
	cmd.Dir, cmd.Env = dir, b.environ(env...)
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
