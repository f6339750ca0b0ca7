package main

import (
	"errors"
	"fmt"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gradbook/gradbook/kernel/install"
	"github.com/gradbook/gradbook/kernel/notebook"
)

func runCmd() *cobra.Command {
	var out string
	var given []string
	cmd := &cobra.Command{
		Use:   "run NOTEBOOK…",
		Short: "Execute notebooks without a browser",
		Long: `Run executes notebooks one after the other and prints the text that their cells
print. It writes each with its outputs, as NAME.ipynb and as the page NAME.html,
into the output folder; the notebooks themselves are left as they are.

Parameters are set, as papermill does, behind the cell with the tag "parameters", which
declares them: epochs := 5.

It exits with 1 if a cell fails.`,
		Example: "  gradbook run notebooks/03-cnn.ipynb\n  gradbook run -p epochs=3 -p rate=0.01 mine.ipynb",
		Args:    cobra.MinimumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"ipynb"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			// Before setup, which may take minutes.
			if err := checkNotebooks(args); err != nil {
				return err
			}
			parameters, err := parseParameters(given)
			if err != nil {
				return err
			}
			l, err := ready(cmd)
			if err != nil {
				return err
			}
			if out == "" {
				out = l.UserDir("out")
			}
			failed := false
			for _, path := range args {
				err := execute(cmd, l, path, out, parameters)
				var f *notebook.FailedError
				if errors.As(err, &f) {
					fmt.Fprintln(os.Stderr, "gradbook:", err)
					failed = true
				} else if err != nil {
					return err
				}
			}
			if failed {
				return exitError(1)
			}
			return nil
		},
	}
	cmd.Flags().StringArrayVarP(&given, "parameter", "p", nil, "a parameter, as name=value, where the value is YAML")
	cmd.Flags().StringVarP(&out, "output", "o", "", "output folder (default .gradbook/out in the checkout, or ~/.local/state/gradbook/out where that cannot be written)")
	return cmd
}

// execute runs one notebook. What it says goes before what the cells print, so
// that their last line is the last line.
func execute(cmd *cobra.Command, l install.Layout, path, out string, parameters map[string]string) error {
	fmt.Fprintf(os.Stderr, "executing %s; outputs go to %s\n", path, out)
	_, err := notebook.Run(cmd.Context(), path, notebook.Options{
		Python: l.Python(), Env: l.JupyterEnv(), OutDir: out, Log: os.Stdout, Live: isTerminal(os.Stdout), Parameters: parameters,
	})
	return err
}

// parseParameters reads name=value.
func parseParameters(given []string) (map[string]string, error) {
	parameters := make(map[string]string, len(given))
	for _, p := range given {
		name, value, ok := strings.Cut(p, "=")
		if !ok || !token.IsIdentifier(name) {
			return nil, fmt.Errorf("expected a parameter as name=value, got %q", p)
		}
		parameters[name] = value
	}
	return parameters, nil
}

// checkNotebooks reports what is no notebook, and two whose outputs would have the
// same name.
func checkNotebooks(paths []string) error {
	names := make(map[string]string)
	for _, path := range paths {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("no notebook at %s%s", path, suggestion(path))
		}
		if err := notebook.Check(path); err != nil {
			return err
		}
		name := filepath.Base(path)
		if other, ok := names[name]; ok {
			return fmt.Errorf("the outputs of %s and %s would have the same name; run them one by one, with different --output folders", other, path)
		}
		names[name] = path
	}
	return nil
}

// suggestion names the notebooks that are there.
func suggestion(path string) string {
	found, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.ipynb"))
	if len(found) == 0 {
		found, _ = filepath.Glob("notebooks/*.ipynb")
	}
	if len(found) == 0 {
		return ""
	}
	return "; there is " + strings.Join(found, ", ")
}
