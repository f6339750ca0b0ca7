package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/modfile"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/kernel/cell"
	"github.com/gradbook/gradbook/kernel/engine"
	"github.com/gradbook/gradbook/kernel/session/wire"
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
			own, err := sources(filepath.Join(l.Root, "kernel"), filepath.Join(l.Root, "dl"), filepath.Join(l.Root, "viz"), filepath.Join(l.Root, "datasets"), filepath.Join(l.Root, "notebooks", "audit"), filepath.Join(l.Root, "notebooks", "claim"), filepath.Join(l.Root, "notebooks", "classic"))
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
			return err == nil && exists(filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum"), l.Program("probe")) && (len(ways) == 0 || built)
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
			if err := l.buildHost(ctx, p); err != nil {
				return err
			}
			return l.buildProbe(ctx, p)
		},
	}
}

// buildHost builds the session's program for the best way to link cells that works here:
// a cell must run.
func (l Layout) buildHost(ctx context.Context, p *Progress) error {
	ways, err := toolchain.Ways()
	if err != nil || len(ways) == 0 {
		return err
	}
	goCmd, err := exec.LookPath("go")
	if err != nil {
		return errNoGo
	}
	if goCmd, err = realGo(l, goCmd); err != nil {
		return err
	}
	var failed error
	for _, way := range ways {
		err := toolchain.BuildHost(ctx, way, goCmd, l.Workspace())
		if err == nil {
			_, err = l.TryCell(ctx, way)
		}
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		failed = errors.Join(failed, fmt.Errorf("the session of cells, linked as %s: %w", way, err))
		if err := toolchain.RemoveHost(l.Workspace(), way); err != nil {
			return errors.Join(failed, err)
		}
		if way != ways[len(ways)-1] {
			p.Warn("this Go does not fit the quick way to link cells, so each takes about a second: %v", failed)
		}
	}
	return failed
}

// TryCell runs a cell as a kernel does, and says how long it took.
func (l Layout) TryCell(ctx context.Context, ways ...toolchain.Way) (took time.Duration, err error) {
	tmp, err := RunFolder(l)
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp(tmp, "gradbook-try-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // what is left is in a folder for such
	e, err := engine.New(engine.Config{Workspace: l.Workspace(), Ways: ways, Dir: filepath.Join(dir, "cells"), OutputDir: dir, Env: SessionEnv()})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	var out tried
	start := time.Now()
	f, err := e.Run(ctx, engine.Cell{Cell: cell.Cell{Number: 1, Text: "fmt.Println(strings.Repeat(\"cell\", 2))"}}, &out)
	switch {
	case err != nil:
		return 0, err
	case f != nil:
		return 0, fmt.Errorf("a cell does not run: %s: %s", f.Name, f.Value)
	case out.String() != "cellcell\n":
		return 0, fmt.Errorf("a cell was to print \"cellcell\", and printed %q", out.String())
	}
	return time.Since(start), nil
}

// tried gets what a cell prints.
type tried struct {
	mu sync.Mutex
	b  strings.Builder
}

func (t *tried) Stream(_, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b.WriteString(text)
}

func (t *tried) Event(wire.Event) {}

func (t *tried) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
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
	args := append([]string{"build", "-o", l.Program("probe")}, toolchain.HostFlags(l.Workspace())...)
	args = append(args, modulePath+"/kernel/install/probe")
	if err := command(ctx, p, l.Workspace(), env, "go", args...); err != nil {
		return fmt.Errorf("cells would not build: %w", err)
	}
	return nil
}
