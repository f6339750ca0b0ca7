package install

import (
	"context"
	"fmt"
	"path/filepath"

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

// BuildModule builds a program cmd/NAME of a module within this one, whose dependencies are its own
// and are downloaded if they are not there, and returns its path.
func (l Layout) BuildModule(ctx context.Context, p *Progress, module, name string) (string, error) {
	dir := filepath.Join(l.Root, filepath.FromSlash(module))
	if !exists(filepath.Join(dir, "go.mod")) {
		return "", fmt.Errorf("%s is a module of its own, which is in Gradbook's checkout and not here: go install %s/%s/cmd/%s@latest builds it", name, modulePath, module, name)
	}
	goCmd, err := l.Go()
	if err != nil {
		return "", err
	}
	if err := command(ctx, p, dir, goEnv("GOWORK=off", "GOFLAGS=-mod=readonly"), goCmd, "build", "-o", l.Program(name), "./cmd/"+name); err != nil {
		return "", fmt.Errorf("cannot build the program %s: %w", name, err)
	}
	return l.Program(name), nil
}
