package install

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// python makes the Python environment with JupyterLab and nbclient.
func (l Layout) python() step {
	requirements := filepath.Join(l.Root, "kernel", "install", "python", "requirements.txt")
	return step{
		name: "python",
		fingerprint: func(context.Context) (string, error) {
			// Not which Python is first on PATH: that changes, and the
			// environment is good until its own interpreter is gone.
			return fingerprint([]string{l.Root}, requirements)
		},
		present: func() bool { return exists(l.Python(), filepath.Join(filepath.Dir(l.Python()), "jupyter-lab")) },
		run: func(ctx context.Context, p *Progress) error {
			path, _, err := l.systemPython(ctx)
			if err != nil {
				return err
			}
			if err := exec.CommandContext(ctx, path, "-c", "import ensurepip, venv").Run(); err != nil {
				return fmt.Errorf("%s cannot make virtual environments: %w; %s", path, err, installHint("python3-venv", "python3", "python"))
			}
			p.Note("making the environment")
			if err := os.RemoveAll(l.Venv()); err != nil {
				return err
			}
			// The other steps that write into the environment are due again.
			for _, s := range []string{"kernelspec", "labextension", "papermill", "settings"} {
				_ = os.Remove(l.dir("state", s))
			}
			if err := command(ctx, p, "", nil, path, "-m", "venv", l.Venv()); err != nil {
				return err
			}
			p.Note("installing JupyterLab")
			// Python compiles what it imports by itself, which is a small part.
			return l.pip(ctx, p, nil, "install", "--no-compile", "-r", requirements)
		},
	}
}

// pip calls the environment's pip, which knows the user's index and proxies, to do
// something with wheels of which all hashes are known, and with nothing else.
func (l Layout) pip(ctx context.Context, p *Progress, env []string, do string, args ...string) error {
	args = append([]string{
		"-m", "pip", do, "--require-hashes", "--no-deps", "--only-binary", ":all:",
		"--progress-bar", "off", "--disable-pip-version-check", "--no-input",
	}, args...)
	return command(ctx, p, "", append(append(os.Environ(), "PYTHONNOUSERSITE=1", "PYTHONPATH="), env...), l.Python(), args...)
}
