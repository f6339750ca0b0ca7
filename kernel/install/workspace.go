package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

// workspace makes the module in which cells are built: one that requires Gradbook, from
// its source, and everything that Gradbook requires. Then it gets the session's program:
// the one that a wheel has brought, if it fits, or one that it builds, without a network,
// leaving the compiled packages in Go's build cache.
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
			own, err := l.sessionSources()
			if err != nil {
				return "", err
			}
			ways, err := toolchain.Ways()
			if err != nil {
				return "", err
			}
			return fingerprint([]string{version, l.Root, c.CC, c.Enabled, fmt.Sprint(ways)}, append(own, mod, sum)...)
		},
		present: func() bool {
			ways, err := toolchain.Ways()
			_, built := toolchain.HostBuilt(dir, ways...)
			return err == nil && exists(filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum")) && (built || len(ways) == 0 && exists(l.Program("probe")))
		},
		run: func(ctx context.Context, p *Progress) error {
			if err := l.writeWorkspace(mod, sum); err != nil {
				return err
			}
			if l.unpack(ctx, p) {
				return nil
			}
			if err := l.download(ctx, p); err != nil {
				return err
			}
			p.Note("compiling XLA's bindings and dl, so that the first cell need not")
			if err := l.buildHost(ctx, p); err != nil {
				return err
			}
			if ways, err := toolchain.Ways(); err != nil || len(ways) > 0 {
				return err
			}
			return l.buildProbe(ctx, p)
		},
	}
}

// sessionSources are the files that the session is made of.
func (l Layout) sessionSources() ([]string, error) {
	var dirs []string
	for _, dir := range []string{"kernel", "dl", "viz", "datasets", "notebooks/audit", "notebooks/claim", "notebooks/classic"} {
		dirs = append(dirs, filepath.Join(l.Root, filepath.FromSlash(dir)))
	}
	return sources(dirs...)
}

// download fetches the modules that Gradbook requires.
func (l Layout) download(ctx context.Context, p *Progress) error {
	goCmd, err := l.Go()
	if err != nil {
		return err
	}
	p.Note("downloading the modules that cells import")
	return command(ctx, p, l.Root, goEnv(), goCmd, "mod", "download")
}

// modules fetches what completion reads, and packages of a person's own may need, where
// the session itself came with a wheel.
func (l Layout) modules() step {
	return step{
		name: "modules",
		fingerprint: func(_ context.Context) (string, error) {
			return fingerprint([]string{l.Root}, filepath.Join(l.Root, "go.sum"))
		},
		present: func() bool { return true },
		run:     l.download,
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
	content, sums, err := l.moduleFiles("gradbook.local/workspace", mod, sum)
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

// Requirements are the go.mod and the go.sum of a module that requires Gradbook, from its
// source, and everything that Gradbook requires.
func (l Layout) Requirements(module string) (mod, sum []byte, err error) {
	return l.moduleFiles(module, filepath.Join(l.Root, "go.mod"), filepath.Join(l.Root, "go.sum"))
}

func (l Layout) moduleFiles(module, mod, sum string) (content, sums []byte, err error) {
	if content, err = os.ReadFile(mod); err != nil {
		return nil, nil, err
	}
	f, err := modfile.Parse(mod, content, nil)
	if err != nil {
		return nil, nil, err
	}
	err = errors.Join(f.AddModuleStmt(module), f.AddRequire(modulePath, "v0.0.0"), f.AddReplace(modulePath, "", l.Root, ""))
	if err != nil {
		return nil, nil, err
	}
	if content, err = f.Format(); err != nil {
		return nil, nil, err
	}
	sums, err = os.ReadFile(sum)
	return content, sums, err
}

// buildProbe builds the probe in the workspace module, with the flags of a cell, where
// there are no sessions that could be asked.
func (l Layout) buildProbe(ctx context.Context, p *Progress) error {
	env := goEnv("GOPROXY=off")
	args := append([]string{"build", "-o", l.Program("probe")}, toolchain.HostFlags(l.Workspace())...)
	args = append(args, modulePath+"/kernel/install/probe")
	goCmd, err := l.Go()
	if err != nil {
		return err
	}
	if err := command(ctx, p, l.Workspace(), env, goCmd, args...); err != nil {
		return fmt.Errorf("cells would not build: %w", err)
	}
	return nil
}
