package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const pollLock = 200 * time.Millisecond

// requirements checks for what a machine must have before setup can do anything.
func (l Layout) requirements() step {
	return always("requirements", func(ctx context.Context, _ *Progress) error {
		if _, err := l.Go(); err != nil {
			return err
		}
		if _, ok := l.shippedWay(); ok {
			return nil
		}
		if err := l.checkPython(ctx); err != nil {
			return err
		}
		return l.checkCompiler(ctx)
	})
}

// minPython is what the oldest pinned wheel needs.
var minPython = [2]int{3, 10}

// systemPython finds the Python that the environment is made with: never the
// environment's own, which would be gone before it is made.
func (l Layout) systemPython(ctx context.Context) (path, version string, err error) {
	var reasons []string
	for _, name := range []string{"python3", "python"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if filepath.Dir(path) == filepath.Dir(l.Python()) {
			reasons = append(reasons, path+" is the environment's own; deactivate it")
			continue
		}
		out, err := exec.CommandContext(ctx, path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").Output()
		if err != nil {
			reasons = append(reasons, fmt.Sprintf("%s does not run: %v", path, err))
			continue
		}
		var v [2]int
		version := strings.TrimSpace(string(out))
		if _, err := fmt.Sscanf(version, "%d.%d", &v[0], &v[1]); err != nil {
			continue
		}
		if v[0] < minPython[0] || v[0] == minPython[0] && v[1] < minPython[1] {
			reasons = append(reasons, fmt.Sprintf("%s is version %s", path, version))
			continue
		}
		return path, version, nil
	}
	msg := fmt.Sprintf("no python3 of version %d.%d or newer on PATH", minPython[0], minPython[1])
	if len(reasons) > 0 {
		msg += " (" + strings.Join(reasons, "; ") + ")"
	}
	return "", "", errors.New(msg + ", and JupyterLab needs it; " + installHint("python3 python3-venv", "python3", "python"))
}

func (l Layout) checkPython(ctx context.Context) error {
	if l.Shipped != "" {
		return nil // the wheel is in one
	}
	_, _, err := l.systemPython(ctx)
	return err
}

// pureGo says that the user wants no XLA.
func pureGo() bool { return os.Getenv("GRADBOOK_DEVICE") == "go" }

// cgoEnv is what the go command says of cgo.
type cgoEnv struct {
	CC      string
	Enabled string `json:"CGO_ENABLED"`
}

// cgo asks the go command which C compiler cgo uses. (It switches cgo off by
// itself if that one is not on PATH, whatever others are.)
func (l Layout) cgo(ctx context.Context) (c cgoEnv, err error) {
	out, err := l.goOutput(ctx, "env", "-json", "CC", "CGO_ENABLED")
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal([]byte(out), &c)
}

// checkCompiler looks for the C compiler that cgo uses to call XLA.
func (l Layout) checkCompiler(ctx context.Context) error {
	if pureGo() {
		return nil
	}
	const instead = "or set GRADBOOK_DEVICE=go to compute in pure Go, about a hundred times slower"
	c, err := l.cgo(ctx)
	if err != nil {
		return err
	}
	if cc := strings.Fields(c.CC); len(cc) > 0 {
		if _, err := exec.LookPath(cc[0]); err != nil {
			return fmt.Errorf("no C compiler: Go looks for %s, and needs one to call XLA; %s; or set CC to the one you have; %s",
				cc[0], installHint("gcc libc6-dev", "gcc", ""), instead)
		}
	}
	if c.Enabled != "1" {
		return fmt.Errorf("cgo is switched off (CGO_ENABLED=%s), and Go needs it to call XLA; unset CGO_ENABLED, %s", c.Enabled, instead)
	}
	return nil
}

// installHint is the command that installs a package on this system.
func installHint(debian, fedora, brew string) string {
	switch {
	case runtime.GOOS == "darwin" && brew == "":
		return "install one with: xcode-select --install"
	case runtime.GOOS == "darwin":
		return "install it with: brew install " + brew
	}
	if _, err := exec.LookPath("apt-get"); err == nil {
		return "install it with: sudo apt-get install " + debian
	}
	if _, err := exec.LookPath("dnf"); err == nil {
		return "install it with: sudo dnf install " + fedora
	}
	return "install it with your system's package manager"
}
