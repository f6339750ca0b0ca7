package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/kernel/install"
)

// exporting is how something is exported.
type exporting struct {
	format, output, name, labels string
	int8                         bool
}

func exportCmd() *cobra.Command {
	var e exporting
	cmd := &cobra.Command{
		Use:   "export MODEL|NOTEBOOK",
		Short: "Make a package, a page, a library or a program of a model or a notebook",
		Long: `Export makes of a model (.keras or .onnx) what needs no notebook any more, in a folder:

  go       a package of Go source with the weights, of the standard library only
  wasm     a page, index.html, that computes in the browser and needs no server
  c        a shared library for C, and its header
  program  a program that computes with XLA, and XLA's library
  service  a static program that serves the model, a Dockerfile, and a manifest for KServe

A notebook becomes a program with its cells in order, as a module that builds.`,
		Example: "  gradbook export digits.keras\n  gradbook export digits.keras --format wasm -o page\n  gradbook export mine.ipynb -o mine",
		Args:    cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"keras", "onnx", "ipynb"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error { return e.run(cmd, args[0]) },
	}
	cmd.Flags().StringVarP(&e.format, "format", "f", "go", "go, wasm, c, program or service")
	cmd.Flags().StringVarP(&e.output, "output", "o", "", "the folder (default NAME beside the file)")
	cmd.Flags().StringVar(&e.name, "package", "", "the name of the package, the library or the program (default that of the folder)")
	cmd.Flags().BoolVar(&e.int8, "int8", false, "store weights as whole numbers of 8 bits")
	cmd.Flags().StringVar(&e.labels, "labels", "", "names of a classifier's classes for a page, with commas between them")
	return cmd
}

func (e exporting) run(cmd *cobra.Command, path string) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	ending := filepath.Ext(path)
	if e.output == "" {
		e.output = strings.TrimSuffix(path, ending)
	}
	way := e.model
	switch strings.ToLower(ending) {
	case ".keras", ".onnx":
	case ".ipynb":
		if cmd.Flags().Changed("format") && e.format != "program" || e.int8 || e.labels != "" {
			return fmt.Errorf("a notebook becomes a program: --format, --int8 and --labels are for models")
		}
		way = e.notebook
	default:
		return fmt.Errorf("%s: expected a model (.keras or .onnx) or a notebook (.ipynb)", path)
	}
	l, err := ready(cmd)
	if err != nil {
		return err
	}
	return way(cmd, l, path)
}

// model has the program that knows models do it.
func (e exporting) model(cmd *cobra.Command, l install.Layout, path string) error {
	program, err := l.Build(cmd.Context(), install.NewProgress(os.Stderr), "export")
	if err != nil {
		return err
	}
	args := []string{"-format", e.format, "-output", e.output, "-package", e.name, "-labels", e.labels, fmt.Sprintf("-int8=%v", e.int8), path}
	run := exec.CommandContext(cmd.Context(), program, args...)
	run.Env = append(os.Environ(), "GRADBOOK_SOURCE="+l.Root)
	run.Stdout, run.Stderr = os.Stdout, os.Stderr
	if err := run.Run(); err != nil {
		return exitError(1) // it has said why
	}
	fmt.Fprintln(os.Stderr, "gradbook: it is in", e.output)
	return nil
}

// notebook writes a notebook's program, as a module of its own.
func (e exporting) notebook(cmd *cobra.Command, l install.Layout, path string) error {
	raw, err := readFile(path)
	if err != nil {
		return err
	}
	source, err := program(cmd, l, path, raw)
	if err != nil {
		return err
	}
	name := e.name
	if name == "" {
		full, err := filepath.Abs(e.output)
		if err != nil {
			return err
		}
		name = filepath.Base(full)
	}
	mod, sum, err := l.Requirements("exported/" + name)
	if err != nil {
		return err
	}
	if entries, err := os.ReadDir(e.output); err == nil && len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(e.output, "main.go")); err != nil {
			return fmt.Errorf("expected a new or an empty folder, or one with an earlier program, and %s has other files", e.output)
		}
	}
	for name, content := range map[string][]byte{"main.go": source, "go.mod": mod, "go.sum": sum} {
		if err := cache.WriteFile(filepath.Join(e.output, name), content, 0o644); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "gradbook: it is in %s: go run -C %[1]s .\n", e.output)
	return nil
}
