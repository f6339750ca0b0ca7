package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/gradbook/gradbook/kernel/book"
)

func studentCmd() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "student [FOLDER]",
		Short: "Copy the notebooks for a class, without solutions and answers",
		Long: `Student copies the notebooks of a folder, and their translations: without
outputs, and without what is hidden under "Solution" and "Answers". Behind each
exercise is an empty cell. Files that are there already stay as they are.`,
		Example: "  gradbook student -o ~/class",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dirs := args
			if len(dirs) == 0 {
				l, err := layout()
				if err != nil {
					return err
				}
				dirs = []string{filepath.Join(l.Root, "notebooks")}
			}
			copies, err := book.Students(dirs[0], out)
			if err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "%d notebooks are in %s\n", len(copies), out)
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "student", "folder of the copies")
	return cmd
}
