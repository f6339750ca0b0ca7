package install

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

// tools are packages of kernel/install/tools/tools.mod, by the program's name.
var tools = map[string]string{
	"gonb":      "github.com/janpfeifer/gonb",
	"gopls":     "golang.org/x/tools/gopls",
	"goimports": "golang.org/x/tools/cmd/goimports",
}

// toolsModule is the module that pins them, not as the folder of a module: the source of
// Gradbook's own, as Go fetches it, has no other modules in it.
//
//go:embed tools/tools.mod tools/tools.sum
var toolsModule embed.FS

// toolsDir is where setup makes a module of it.
func (l Layout) toolsDir() string { return l.dir("tools") }

func (l Layout) writeTools() error {
	for name, from := range map[string]string{"go.mod": "tools/tools.mod", "go.sum": "tools/tools.sum"} {
		content, err := toolsModule.ReadFile(from)
		if err != nil {
			return err
		}
		if err := cache.WriteFile(filepath.Join(l.toolsDir(), name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// tools builds GoNB and the programs it calls, at the versions of the tools
// module.
func (l Layout) tools() step {
	var programs, packages []string
	for name, pkg := range tools {
		programs, packages = append(programs, l.Program(name)), append(packages, pkg)
	}
	slices.Sort(packages)
	return step{
		name: "tools",
		fingerprint: func(ctx context.Context) (string, error) {
			version, err := l.goVersion(ctx)
			if err != nil {
				return "", err
			}
			mod, errMod := toolsModule.ReadFile("tools/tools.mod")
			sum, errSum := toolsModule.ReadFile("tools/tools.sum")
			if err := errors.Join(errMod, errSum); err != nil {
				return "", err
			}
			return fingerprint([]string{version, string(mod), string(sum)})
		},
		present: func() bool { return exists(programs...) },
		run: func(ctx context.Context, p *Progress) error {
			p.Note("building GoNB, gopls and goimports")
			if err := os.MkdirAll(l.Bin(), 0o755); err != nil {
				return err
			}
			if err := l.writeTools(); err != nil {
				return err
			}
			goCmd, err := l.Go()
			if err != nil {
				return err
			}
			args := append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", l.Bin() + string(filepath.Separator)}, packages...)
			return command(ctx, p, l.toolsDir(), goEnv("CGO_ENABLED=0"), goCmd, args...)
		},
	}
}

// goEnv is the environment for go commands of setup: whatever the user set for modules
// and systems of his own must not bend ours.
func goEnv(extra ...string) []string { return toolchain.Environ(extra...) }

// goOutput runs the go command in the checkout, whose go.mod may choose the
// toolchain.
func (l Layout) goOutput(ctx context.Context, args ...string) (string, error) {
	goCmd, err := l.Go()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, goCmd, args...)
	cmd.Dir, cmd.Env = l.Root, goEnv()
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

func (l Layout) goVersion(ctx context.Context) (string, error) {
	return l.goOutput(ctx, "env", "GOVERSION")
}
