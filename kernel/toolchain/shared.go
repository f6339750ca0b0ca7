package toolchain

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// sharedLinker is the [Shared] way.
type sharedLinker struct{ b *Builder }

func (l sharedLinker) Companion(n int) string {
	register := fmt.Sprintf("import session %q\n\nfunc init() { session.Register(%d, Runʹ%d) }\n\n", runtimePath, n, n)
	return fmt.Sprintf(mainFile, register, padding)
}

func (l sharedLinker) Link(ctx context.Context, p Piece) (string, error) {
	a, err := openArchive(p.path(p.Archive))
	if err != nil {
		return "", err
	}
	if err := a.hideExports(); err != nil {
		return "", err
	}
	if err := a.write(p.path(p.Archive)); err != nil {
		return "", err
	}
	if err := os.WriteFile(p.path("link.cfg"), p.Config, 0o600); err != nil {
		return "", err
	}
	if out, err := l.b.tool(ctx, p.Dir, "link", "-linkshared", "-buildmode=plugin", "-s", "-w", "-pluginpath", CellPath, "-importcfg", "link.cfg",
		"-linkmode=external", "-tmpdir", p.Dir, "-extld=true", "-o", "cell.out", p.Archive); err != nil {
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
	cmd := exec.CommandContext(ctx, "ld", append([]string{"-shared", "-o", "cell.so", "cell.o"}, objects...)...)
	cmd.Dir = p.Dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("ld: %w: %s", err, lastLines(string(out), 6))
	}
	return p.path("cell.so"), nil
}
