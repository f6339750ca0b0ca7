package main

import (
	"github.com/spf13/cobra"

	"github.com/gradbook/gradbook/kernel/toolchain"
)

func packCmd() *cobra.Command {
	return &cobra.Command{
		Use: "pack DIR", Hidden: true, Args: cobra.ExactArgs(1),
		Short: "Copy the session's program to a folder, for a wheel",
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := layout()
			if err != nil {
				return err
			}
			return toolchain.Pack(l.Workspace(), args[0])
		},
	}
}
