package install

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/gradbook/gradbook/kernel/toolchain"
)

// tool packages of kernel/install/tools/go.mod, by the program's name.
var tools = map[string]string{
	"gonb":      "github.com/janpfeifer/gonb",
	"gopls":     "golang.org/x/tools/gopls",
	"goimports": "golang.org/x/tools/cmd/goimports",
}

// tools builds GoNB and the programs it calls, at the versions of the tools
// module.
func (l Layout) tools() step {
	dir := filepath.Join(l.Root, "kernel", "install", "tools")
	var programs, packages []string
	for name, pkg := range tools {
		programs, packages = append(programs, l.Program(name)), append(packages, pkg)
	}
	return step{
		name: "tools",
		fingerprint: func(ctx context.Context) (string, error) {
			version, err := l.goVersion(ctx)
			if err != nil {
				return "", err
			}
			return fingerprint([]string{version}, filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum"))
		},
		present: func() bool { return exists(programs...) },
		run: func(ctx context.Context, p *Progress) error {
			p.Note("building GoNB, gopls and goimports")
			if err := os.MkdirAll(l.Bin(), 0o755); err != nil {
				return err
			}
			args := append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", l.Bin() + string(filepath.Separator)}, packages...)
			return command(ctx, p, dir, goEnv("CGO_ENABLED=0"), "go", args...)
		},
	}
}

// goEnv is the environment for go commands of setup: whatever the user set for modules
// and systems of his own must not bend ours.
func goEnv(extra ...string) []string { return toolchain.Environ(extra...) }

// goOutput runs the go command in the checkout, whose go.mod may choose the
// toolchain.
func (l Layout) goOutput(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
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
