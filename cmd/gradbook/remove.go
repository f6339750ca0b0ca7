package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/gradbook/gradbook/kernel/children"
	"github.com/gradbook/gradbook/kernel/install"
)

func removeCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "remove",
		Short: "Remove what Gradbook has made for you outside its own folder",
		Long: `Remove removes what setup and notebooks have made in your cache folder: plugins, data,
compiled programs, and what installed programs set up. Nothing of it is yours alone: it is
made again when it is needed. Kernels must have been shut down.

The program itself is removed by what installed it: pip uninstall gradbook, or rm.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(children.Running()) > 0 {
				return errors.New("a kernel runs; shut it down first")
			}
			dir, err := install.RemoveInstalled()
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "removed:", dir)
			return nil
		},
	}
}
