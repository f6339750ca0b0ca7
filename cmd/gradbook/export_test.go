package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What export cannot do, it says before anything is set up.
func TestExportRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"model.h5", "mine.ipynb"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for want, args := range map[string][]string{
		"no such file":            {"missing.keras"},
		"expected a model (.kera": {"model.h5"},
		"are for models":          {"mine.ipynb", "--int8"},
		"a notebook becomes a pr": {"mine.ipynb", "--format", "wasm"},
	} {
		cmd := root()
		cmd.SetArgs(append([]string{"export", filepath.Join(dir, args[0])}, args[1:]...))
		if err := cmd.Execute(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: expected an error with %q, got %v", args, want, err)
		}
	}
}
