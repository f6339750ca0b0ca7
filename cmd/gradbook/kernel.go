package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/gradbook/gradbook/kernel/install"
)

func kernelCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "kernel CONNECTION-FILE",
		Short: "Start a kernel, as Jupyter does",
		Long:  "Kernel is what the kernelspec calls. A person has no use for it.",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := kernelLayout()
			if err != nil {
				return err
			}
			gonb, err := install.KernelCommand(l, args[0])
			if err != nil {
				return err
			}
			err = become(gonb)
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				return exitError(exit.ExitCode())
			}
			return err
		},
	}
}

// kernelLayout is the checkout that this program belongs to, wherever the
// notebook is.
func kernelLayout() (install.Layout, error) {
	exe, err := os.Executable()
	if err != nil {
		return install.Layout{}, err
	}
	if exe, err = filepath.EvalSymlinks(exe); err != nil {
		return install.Layout{}, err
	}
	return install.Find(filepath.Dir(exe))
}
