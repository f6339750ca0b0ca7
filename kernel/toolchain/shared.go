package toolchain

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/gradbook/gradbook/kernel/toolchain/solink"
)

// sharedLinker is the [Shared] way: Go's linker is shown a stub of the session's program
// as a shared library, and its object is edited.
type sharedLinker struct {
	b       *Builder
	program *program
}

func newSharedLinker(b *Builder) (sharedLinker, error) {
	p, err := openProgram(b.program)
	return sharedLinker{b, p}, err
}

// Close implements [Linker].
func (l sharedLinker) Close() error { return l.program.close() }

// Companion implements [Linker].
func (l sharedLinker) Companion(n int) string {
	// A name with a prime, which no cell has.
	register := fmt.Sprintf("import sessionʹ %q\n\nfunc init() { sessionʹ.Register(%d, Runʹ%d) }\n\n", runtimePath, n, n)
	return fmt.Sprintf(mainFile, register, padding)
}

// Link implements [Linker].
func (l sharedLinker) Link(ctx context.Context, p Piece) (string, error) {
	names, err := l.prepare(p)
	if err != nil {
		return "", err
	}
	// What the linker itself asks for depends on its version.
	out, err := l.goLink(ctx, p, names)
	if err != nil && ctx.Err() == nil {
		out, err = l.goLink(ctx, p, nil)
	}
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, lastLines(out, 6))
	}
	object, err := os.ReadFile(p.path("go.o"))
	if err != nil {
		return "", err
	}
	if object, err = relink(object, p.N); err != nil {
		return "", err
	}
	if err := os.WriteFile(p.path("cell.o"), object, 0o600); err != nil {
		return "", err
	}
	objects, err := filepath.Glob(p.path("0*.o")) // of cgo, in packages of the notebook's module
	if err != nil {
		return "", err
	}
	if len(objects) == 0 {
		library, imported, err := solink.Link(object)
		switch {
		case err == nil:
			return p.path("cell.so"), errors.Join(os.WriteFile(p.path("cell.so"), library, 0o600), l.complete(imported))
		case !errors.Is(err, solink.ErrUnsupported):
			return "", err
		}
	}
	return p.path("cell.so"), l.external(ctx, p, objects)
}

// external has the system's linker make the library.
func (l sharedLinker) external(ctx context.Context, p Piece, objects []string) error {
	// Code on pages of its own: the session rewrites names that are beside it otherwise.
	cmd := exec.CommandContext(ctx, "ld", append([]string{"-shared", "-z", "separate-code", "-o", "cell.so", "cell.o"}, objects...)...)
	cmd.Dir = p.Dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ld: %w: %s", err, lastLines(string(out), 6))
	}
	f, err := elf.Open(p.path("cell.so"))
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read from
	symbols, err := f.ImportedSymbols()
	if err != nil {
		return err
	}
	var imported []string
	for _, s := range symbols {
		imported = append(imported, s.Name)
	}
	return l.complete(imported)
}

// complete says whether the session has all of Go that a library asks for. (What it asks
// for of C is for the system's loader to find.)
func (l sharedLinker) complete(imported []string) error {
	for _, name := range imported {
		if _, ok := l.program.lookup(name); !ok && strings.Contains(name, ".") {
			return fmt.Errorf("the session lacks %s", name)
		}
	}
	return nil
}

// prepare readies the cell's archive, and returns the names that are to be in the stub:
// those that the archives refer to.
func (l sharedLinker) prepare(p Piece) (names []string, err error) {
	a, err := openArchive(p.path(p.Archive))
	if err != nil {
		return nil, err
	}
	if err := a.hideExports(); err != nil {
		return nil, err
	}
	if err := a.write(p.path(p.Archive)); err != nil {
		return nil, err
	}
	if err := os.WriteFile(p.path("link.cfg"), p.Config, 0o600); err != nil {
		return nil, err
	}
	if names, err = a.references(); err != nil {
		return nil, err
	}
	for _, file := range p.Archives {
		a, err := openArchive(file)
		if err != nil {
			return nil, err
		}
		more, err := a.references()
		if err != nil {
			return nil, err
		}
		names = append(names, more...)
	}
	return append(names, linkerNames...), nil
}

// goLink has Go's linker write its object, with a stub that has some names, or all.
func (l sharedLinker) goLink(ctx context.Context, p Piece, names []string) (string, error) {
	stub, err := l.program.stub(names, l.b.index.Hash)
	if err != nil {
		return "", err
	}
	// The linker takes the name of a library for that of its hash.
	if err := os.WriteFile(p.path(HostProgram), stub, 0o600); err != nil {
		return "", err
	}
	return l.b.tool(ctx, p.Dir, "link", "-linkshared", "-buildmode=plugin", "-s", "-w", "-pluginpath", CellPath, "-importcfg", "link.cfg", "-L", ".",
		"-linkmode=external", "-tmpdir", p.Dir, "-extld=true", "-o", "cell.out", p.Archive)
}

// linkerNames are symbols that Go's linker looks for itself.
//
// Source: cmd/link/internal/ld.
var linkerNames = []string{
	"go:link.abihash." + HostProgram, "type:runtime.moduledata", "runtime.addmoduledata", "runtime.mapinitnoop", "runtime.unreachableMethod", "runtime.deferreturn",
	"runtime.morestack", "runtime.morestackc", "runtime.morestack_noctxt", "runtime.zerobase", "runtime.memProfileInternal", "runtime.disableMemoryProfiling",
	"runtime.lastmoduledatap", "runtime.firstmoduledata", "runtime.islibrary", "runtime.isarchive", "runtime.tlsg",
}
