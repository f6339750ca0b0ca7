package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gradbook/gradbook/kernel/notebook"
)

func pageCmd() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "page NOTEBOOK -o FILE.html|FILE.pdf",
		Short: "Write a notebook as a page or a PDF, as it is",
		Long: `Page writes a notebook with the outputs that are in it, and executes nothing. A page
needs no other host; a PDF is printed by Chromium, Chrome or Edge, and needs no TeX.

A notebook of - is read from standard input.`,
		Example: "  gradbook page mine.ipynb -o mine.html\n  gradbook page mine.ipynb -o mine.pdf",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			ext := strings.ToLower(filepath.Ext(out))
			if ext != ".html" && ext != ".pdf" {
				return errors.New("expected -o with a file of .html or .pdf, got " + out)
			}
			if ext == ".pdf" {
				if _, err := notebook.Browser(); err != nil {
					return err
				}
			}
			l, err := ready(cmd)
			if err != nil {
				return err
			}
			dir, err := os.MkdirTemp("", "gradbook-page-")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
			source := args[0]
			if source == "-" {
				raw, err := readFile("-")
				if err != nil {
					return err
				}
				source = filepath.Join(dir, strings.TrimSuffix(filepath.Base(out), ext)+".ipynb")
				if err := os.WriteFile(source, raw, 0o600); err != nil {
					return err
				}
			}
			page := out
			if ext == ".pdf" {
				page = filepath.Join(dir, "page.html")
			}
			if err := notebook.Render(cmd.Context(), source, page, notebook.Options{Python: l.Python(), Env: l.JupyterEnv()}); err != nil || ext == ".html" {
				return err
			}
			return notebook.PDF(cmd.Context(), page, out)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "the page's file")
	return cmd
}
