package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gradbook/gradbook/kernel/install"
)

func installCmd() *cobra.Command {
	var prefix string
	var remove bool
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Make the kernel known to your other Jupyter programs, such as VS Code",
		Long: `Install adds the kernel to those that your other Jupyter programs see: VS Code,
another JupyterLab, nbclient, papermill. It writes a kernelspec for you, or into an
environment that you name, and nothing else; the kernel stays in the checkout.`,
		Example: `  gradbook install
  gradbook install --prefix ~/venv
  gradbook install --remove`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if remove && prefix != "" {
				return fmt.Errorf("expected --remove or --prefix, got both; remove %s instead", filepath.Join(prefix, "share", "jupyter", "kernels", install.KernelName))
			}
			if remove {
				l, err := layout()
				if err != nil {
					return err
				}
				return removeKernelspec(cmd.Context(), l)
			}
			l, err := ready(cmd)
			if err != nil {
				return err
			}
			where := []string{"--user"}
			if prefix != "" {
				where = []string{"--prefix", prefix}
			}
			// Jupyter's own program knows where kernelspecs are on each system.
			args := append([]string{"-m", "jupyter", "kernelspec", "install", l.Kernelspec(), "--name", install.KernelName, "--replace"}, where...)
			jupyter := exec.CommandContext(cmd.Context(), l.Python(), args...)
			jupyter.Stdout, jupyter.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return jupyter.Run()
		},
	}
	cmd.Flags().StringVar(&prefix, "prefix", "", "the environment of Python to install into (default: for you)")
	cmd.Flags().BoolVar(&remove, "remove", false, "take it away again")
	return cmd
}

// removeKernelspec takes away what install wrote for this user, and no other.
func removeKernelspec(ctx context.Context, l install.Layout) error {
	out, err := exec.CommandContext(ctx, l.Python(), "-c", "from jupyter_core.paths import jupyter_data_dir; print(jupyter_data_dir())").Output()
	if err != nil {
		return fmt.Errorf("cannot ask Jupyter for its folder: %w", err)
	}
	return os.RemoveAll(filepath.Join(strings.TrimSpace(string(out)), "kernels", install.KernelName))
}
