package install

import (
	"context"
	_ "embed"
	"encoding/json"
	"path/filepath"

	"github.com/gradbook/gradbook/dl/cache"
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
	spec, specErr := json.MarshalIndent(map[string]any{
		"argv":           []string{l.Program("gradbook"), "kernel", "{connection_file}"},
		"display_name":   "Go (Gradbook)",
		"language":       "go",
		"interrupt_mode": "message",
		"metadata":       map[string]any{"debugger": false},
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
