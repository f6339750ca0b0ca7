package install

import (
	"context"
	"fmt"

	"github.com/gradbook/gradbook/kernel/toolchain"
)

// Build builds a program of the module that gradbook itself cannot be, since it is built without
// cgo, and returns its path. What it is compiled of is in Go's cache since setup.
func (l Layout) Build(ctx context.Context, p *Progress, name string) (string, error) {
	goCmd, err := l.Go()
	if err != nil {
		return "", err
	}
	args := append([]string{"build", "-o", l.Program(name)}, toolchain.HostFlags(l.Workspace())...)
	args = append(args, modulePath+"/cmd/"+name)
	if err := command(ctx, p, l.Workspace(), goEnv("GOPROXY=off"), goCmd, args...); err != nil {
		return "", fmt.Errorf("cannot build the program %s: %w", name, err)
	}
	return l.Program(name), nil
}
