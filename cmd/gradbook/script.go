package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gradbook/gradbook/kernel/install"
	"github.com/gradbook/gradbook/kernel/script"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

func scriptCmd() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "script NOTEBOOK",
		Short: "Make a Go program of a notebook",
		Long: `Script writes a program that compiles, and does and prints what the notebook's cells
do and print. Text becomes comments, and // %% stands before each cell. What only a
notebook can do, such as %who, is a comment, and is told.

A notebook of - is read from standard input.`,
		Example: "  gradbook script notebooks/03-cnn.ipynb\n  gradbook script mine.ipynb -o cmd/mine/main.go",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := readFile(args[0])
			if err != nil {
				return err
			}
			l, err := ready(cmd)
			if err != nil {
				return err
			}
			source, err := program(cmd, l, args[0], raw)
			if err != nil {
				return err
			}
			return writeFile(out, source)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "-", "the program's file")
	return cmd
}

func program(cmd *cobra.Command, l install.Layout, path string, raw []byte) (source []byte, err error) {
	if !toolchain.Supported() {
		return nil, errors.New("the program of a notebook needs to know what its cells import, which a kernel with sessions does: they exist on linux/amd64 and linux/arm64")
	}
	ways, err := toolchain.Ways()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "gradbook-script-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b, err := toolchain.NewBuilder(l.Workspace(), dir, ways...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	folder := "."
	if path != "-" {
		folder = filepath.Dir(path)
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return nil, err
	}
	b.Set(func(s *toolchain.Settings) { s.Dir = folder })
	source, warnings, err := script.Program(raw, filepath.Base(path), b.Packages(cmd.Context()))
	for _, w := range warnings {
		fmt.Fprintln(os.Stderr, "gradbook:", w)
	}
	return source, err
}

func notebookCmd() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "notebook FILE.go",
		Short: "Make a notebook of a Go program, or of a script with // %% marks",
		Long: `Notebook writes a notebook with a cell for each // %% of a Go program: that of
"gradbook script", or any. Cells of text are comments behind // %% [markdown].`,
		Example: "  gradbook notebook cmd/mine/main.go\n  gradbook notebook script.go -o mine.ipynb",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			raw, err := readFile(args[0])
			if err != nil {
				return err
			}
			nb, err := script.Notebook(raw)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if out == "" && args[0] != "-" {
				out = strings.TrimSuffix(args[0], ".go") + ".ipynb"
				if _, err := os.Stat(out); err == nil {
					return fmt.Errorf("%s is there already; say -o %s to write over it", out, out)
				}
				fmt.Fprintln(os.Stderr, "gradbook: the notebook is", out)
			}
			return writeFile(out, nb)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "the notebook's file (default FILE.ipynb beside the program)")
	return cmd
}

func readFile(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(path)
}

func writeFile(path string, content []byte) error {
	if path == "-" || path == "" {
		_, err := os.Stdout.Write(content)
		return err
	}
	return os.WriteFile(path, content, 0o666)
}
