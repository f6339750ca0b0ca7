package install

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/kernel/gocmd"
)

// KernelName is the name by which notebooks ask for the kernel.
const KernelName = "gradbook"

//go:embed logo.svg
var logo []byte

// kernelspec tells Jupyter how to start the kernel.
//
// Source: https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs
func (l Layout) kernelspec() step {
	path := filepath.Join(l.Kernelspec(), "kernel.json")
	// A Jupyter that a desktop starts may have no go on its PATH.
	env := map[string]string{}
	if goCmd, err := l.Go(); err == nil {
		env[gocmd.GoEnv] = goCmd
	}
	spec, specErr := json.MarshalIndent(map[string]any{
		"argv":           []string{l.Program("gradbook"), "kernel", "{connection_file}"},
		"display_name":   "Go (Gradbook)",
		"language":       "go",
		"interrupt_mode": "message",
		"env":            env,
		"metadata":       map[string]any{"debugger": true},
	}, "", "  ")
	return step{
		name: "kernelspec",
		fingerprint: func(context.Context) (string, error) {
			if specErr != nil {
				return "", specErr
			}
			return fingerprint([]string{string(spec), string(logo)})
		},
		present: func() bool { return exists(path) },
		run: func(context.Context, *Progress) error {
			for name, content := range map[string][]byte{"logo-svg.svg": logo, "kernel.json": spec} {
				err := cache.WriteFile(filepath.Join(l.Kernelspec(), name), content, 0o644)
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// kernelspecPath is where Jupyter finds the kernel.
func (l Layout) kernelspecPath() (string, error) {
	path := filepath.Join(l.Kernelspec(), "kernel.json")
	if l.Shipped == "" {
		return path, missing(path)
	}
	// In whatever Python the wheel is, Jupyter knows.
	out, err := exec.Command(l.Python(), "-c", "from jupyter_client.kernelspec import KernelSpecManager as M; print(M().get_kernel_spec("+strconv.Quote(KernelName)+").resource_dir)").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: Jupyter does not find the kernel: %s", l.Python(), lastLines(string(out), 1))
	}
	return strings.TrimSpace(string(out)), nil
}
