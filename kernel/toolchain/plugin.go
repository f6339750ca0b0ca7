package toolchain

import (
	"context"
	"fmt"
	"os"
	"slices"
)

// pluginLinker is the [Plugin] way: a cell is a package that a plugin consists of, with
// a main package of a few lines around it. So plugins differ by the paths of their main
// packages, and all cells are of the same one.
//
// Go's runtime asks whether two plugins have been built with the same version of a
// package, which it tells by what that exports. Cells are told to be the same as the
// session's main package, which exports nothing.
type pluginLinker struct{ b *Builder }

// Close implements [Linker].
func (l pluginLinker) Close() error { return nil }

// Companion implements [Linker].
func (l pluginLinker) Companion(int) string { return fmt.Sprintf(mainFile, "", padding) }

// importPath is what the plugin's main package calls the cell; nobody may import main.
const importPath = "gradbook.local/cell"

const pluginMain = `package main

import (
	session "%s"

	cell "%s"
)

func init() { session.Register(%d, cell.Runʹ%d) }

func main() {}
`

// Link implements [Linker].
func (l pluginLinker) Link(ctx context.Context, p Piece) (string, error) {
	a, err := openArchive(p.path(p.Archive))
	if err != nil {
		return "", err
	}
	if err := a.hideExports(); err != nil {
		return "", err
	}
	if err := a.setFingerprint(l.b.index.Main); err != nil {
		return "", err
	}
	if err := a.write(p.path(p.Archive)); err != nil {
		return "", err
	}
	config := fmt.Appendf(slices.Clone(p.Config), "packagefile %s=%s\n", CellPath, p.Archive)
	for name, content := range map[string][]byte{
		"plugin.go":  fmt.Appendf(nil, pluginMain, runtimePath, importPath, p.N, p.N),
		"link.cfg":   config,
		"plugin.cfg": fmt.Appendf(slices.Clone(config), "importmap %s=%s\n", importPath, CellPath),
	} {
		if err := os.WriteFile(p.path(name), content, 0o600); err != nil {
			return "", err
		}
	}
	path := fmt.Sprintf("gradbook.local/plugin%d", p.N)
	if out, err := l.b.tool(ctx, p.Dir, "compile", "-dynlink", "-complete", "-nolocalimports", "-pack", "-lang="+l.b.index.language(), "-p", path,
		"-trimpath", p.Dir, "-importcfg", "plugin.cfg", "-o", "plugin.a", "plugin.go"); err != nil {
		return "", fmt.Errorf("%w: %s", err, lastLines(out, 6))
	}
	args := []string{"-buildmode=plugin", "-s", "-w", "-pluginpath", path, "-importcfg", "link.cfg", "-o", "cell.so"}
	if cc := l.b.index.Settings["CC"]; cc != "" {
		args = append(args, "-extld="+cc)
	}
	if out, err := l.b.tool(ctx, p.Dir, "link", append(args, "plugin.a")...); err != nil {
		return "", fmt.Errorf("%w: %s", err, lastLines(out, 6))
	}
	return p.path("cell.so"), nil
}
