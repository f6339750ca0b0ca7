package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

const pollLock = 200 * time.Millisecond

// requirements checks for what a machine must have before setup can do anything.
func (l Layout) requirements() step {
	return always("requirements", func(ctx context.Context, _ *Progress) error {
		for _, err := range []error{checkGo(), checkPython(ctx), checkCompiler()} {
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func checkGo() error {
	if _, err := exec.LookPath("go"); err != nil {
		return errNoGo
	}
	return nil
}

// minPython is what the oldest pinned wheel needs.
var minPython = [2]int{3, 10}

// systemPython finds the Python that the environment is made with.
func systemPython(ctx context.Context) (path, version string, err error) {
	var reasons []string
	for _, name := range []string{"python3", "python"} {
		path, err := exec.LookPath(name)
		if err != nil {
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

func checkPython(ctx context.Context) error {
	_, _, err := systemPython(ctx)
	return err
}

// checkCompiler looks for the C compiler that cgo uses to call XLA.
func checkCompiler() error {
	if os.Getenv("GRADBOOK_DEVICE") == "go" {
		return nil // pure Go needs none
	}
	cc := strings.Fields(os.Getenv("CC"))
	names := []string{"gcc", "cc", "clang"}
	if len(cc) > 0 {
		names = cc[:1]
	}
	for _, name := range names {
		if _, err := exec.LookPath(name); err == nil {
			return nil
		}
	}
	return fmt.Errorf("no C compiler on PATH (looked for %s), and Go needs one to call XLA; %s; or set GRADBOOK_DEVICE=go to compute in pure Go, about a hundred times slower",
		strings.Join(names, ", "), installHint("gcc libc6-dev", "gcc", ""))
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
