package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/gradbook/gradbook/kernel/install"
)

func setupCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "setup",
		Short: "Install JupyterLab, the kernel, XLA and the data",
		Long: `Setup installs what notebooks need: a Python environment with JupyterLab, GoNB
with gopls and goimports, XLA's plugin, the kernelspec, the module in which cells
are built, and MNIST. Versions are pinned and verified.

It does only what is missing, goes on where it was interrupted, and never touches
another Jupyter. The other commands call it by themselves.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			start := time.Now()
			l, err := layout()
			if err != nil {
				return err
			}
			if err := install.RetryPlugins(l); err != nil {
				return err
			}
			if l, err = ready(cmd); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "ready in %.1f s: %s\n", time.Since(start).Seconds(), l.Root)
			return nil
		},
	}
}
