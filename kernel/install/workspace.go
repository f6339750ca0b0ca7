package install

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

// workspace makes the module in which cells are built: one that requires
// Gradbook, from this checkout, and everything that Gradbook requires. Then it
// builds the probe in it, as a cell is built: without a network, and leaving
// the compiled packages in Go's build cache.
func (l Layout) workspace() step {
	mod, sum := filepath.Join(l.Root, "go.mod"), filepath.Join(l.Root, "go.sum")
	dir := l.Workspace()
	return step{
		name: "workspace",
		fingerprint: func(ctx context.Context) (string, error) {
			version, err := l.goVersion(ctx)
			if err != nil {
				return "", err
			}
			c, err := l.cgo(ctx)
			if err != nil {
				return "", err
			}
			own, err := sources(filepath.Join(l.Root, "kernel"), filepath.Join(l.Root, "dl"), filepath.Join(l.Root, "viz"), filepath.Join(l.Root, "datasets"), filepath.Join(l.Root, "notebooks", "claim"))
			if err != nil {
				return "", err
			}
			return fingerprint([]string{version, l.Root, c.CC, c.Enabled}, append(own, mod, sum)...)
		},
		present: func() bool {
			return exists(filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum"), l.Program("probe")) &&
				(!toolchain.Supported() || toolchain.HostBuilt(dir))
		},
		run: func(ctx context.Context, p *Progress) error {
			p.Note("downloading the modules that cells import")
			if err := command(ctx, p, l.Root, goEnv(), "go", "mod", "download"); err != nil {
				return err
			}
			if err := l.writeWorkspace(mod, sum); err != nil {
				return err
			}
			p.Note("compiling XLA's bindings and dl, so that the first cell need not")
			if toolchain.Supported() {
				goCmd, err := exec.LookPath("go")
				if err != nil {
					return errNoGo
				}
				if goCmd, err = realGo(l, goCmd); err != nil {
					return err
				}
				if err := toolchain.BuildHost(ctx, goCmd, dir, goEnv("GOPROXY=off", "CGO_ENABLED=1")); err != nil {
					return fmt.Errorf("the session of cells: %w", err)
				}
			}
			return l.buildProbe(ctx, p)
		},
	}
}

// sources are the Go files that the session holds.
func sources(dirs ...string) ([]string, error) {
	var files []string
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if ext := filepath.Ext(path); !d.IsDir() && (ext == ".go" || ext == ".txt" || ext == ".csv" || ext == ".js") && !strings.HasSuffix(path, "_test.go") {
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

func (l Layout) writeWorkspace(mod, sum string) error {
	content, err := os.ReadFile(mod)
	if err != nil {
		return err
	}
	f, err := modfile.Parse(mod, content, nil)
	if err != nil {
		return err
	}
	if err := f.AddModuleStmt("gradbook.local/workspace"); err != nil {
		return err
	}
	if err := f.AddRequire(modulePath, "v0.0.0"); err != nil {
		return err
	}
	if err := f.AddReplace(modulePath, "", l.Root, ""); err != nil {
		return err
	}
	if content, err = f.Format(); err != nil {
		return err
	}
	sums, err := os.ReadFile(sum)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{"go.mod": content, "go.sum": sums} {
		err := cache.WriteFile(filepath.Join(l.Workspace(), name), content, 0o644)
		if err != nil {
			return err
		}
	}
	return nil
}

// buildProbe builds the probe in the workspace module, with the flags of a cell.
func (l Layout) buildProbe(ctx context.Context, p *Progress) error {
	env := goEnv("GOPROXY=off")
	args := []string{"build", "-o", l.Program("probe")}
	if toolchain.Supported() {
		args = append(args, toolchain.HostFlags()...)
	}
	args = append(args, modulePath+"/kernel/install/probe")
	if err := command(ctx, p, l.Workspace(), env, "go", args...); err != nil {
		return fmt.Errorf("cells would not build: %w", err)
	}
	return nil
}
