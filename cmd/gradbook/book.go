package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/gradbook/gradbook/kernel/book"
)

func bookCmd() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "book [FOLDER]",
		Short: "Make a static site of the notebooks, or of a folder of your own",
		Long: `Book executes the notebooks of a folder and writes a site: an index with a
picture of each, and a page for each with its outputs. It needs no server and no
network, and follows the browser's light or dark theme.

A notebook of the same name in a folder named for a language, zh/01.ipynb, is a
translation; it gets the outputs of the first if the code is the same. The picture
is that of the cell tagged "thumbnail", or the first. Cells tagged "remove-cell"
are left out, as in Jupyter Book.`,
		Example: "  gradbook book\n  gradbook book my/notebooks -o site",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := ready(cmd)
			if err != nil {
				return err
			}
			dir := filepath.Join(l.Root, "notebooks")
			if len(args) == 1 {
				dir = args[0]
			}
			if out == "" {
				out = l.UserDir("book")
			}
			index, err := book.Build(cmd.Context(), dir, book.Options{
				Python: l.Python(), Env: l.JupyterEnv(), OutDir: out, Log: os.Stdout,
			})
			if err != nil {
				return err
			}
			fmt.Fprintln(os.Stderr, "the book is at", index)
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "folder of the site (default .gradbook/book in the checkout)")
	return cmd
}
