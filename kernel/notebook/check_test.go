package notebook_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/notebook"
)

// TestFaultyNotebooks: what is no notebook is told of by its cell.
func TestFaultyNotebooks(t *testing.T) {
	for text, want := range map[string]string{
		`{"cells":[1],"nbformat":4,"metadata":{}}`:                                                            "cell 1",
		`{"cells":[{"cell_type":"code","metadata":7,"source":"","outputs":[]}],"nbformat":4,"metadata":{}}`:   "metadata",
		`{"cells":[{"cell_type":"odd","metadata":{},"source":""}],"nbformat":4,"metadata":{}}`:                `"odd"`,
		`{"cells":[{"cell_type":"code","metadata":{},"outputs":[]}],"nbformat":4,"metadata":{}}`:              "source",
		`{"cells":[{"cell_type":"code","metadata":{},"source":[1],"outputs":[]}],"nbformat":4,"metadata":{}}`: "source",
		`{"cells":[{"cell_type":"code","metadata":{},"source":"","outputs":[7]}],"nbformat":4,"metadata":{}}`: "output_type",
		`{"cells":[],"nbformat":4,"metadata":7}`:                                                              "metadata",
	} {
		path := filepath.Join(t.TempDir(), "x.ipynb")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := notebook.Check(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: expected an error with %q, got %v", text, want, err)
		}
	}
}

// FuzzCheck: whatever a file has in it is a notebook, or an error.
func FuzzCheck(f *testing.F) {
	f.Add(`{"cells":[{"cell_type":"code","metadata":{},"source":["a"],"outputs":[]}],"nbformat":4,"nbformat_minor":5,"metadata":{}}`)
	f.Add(`{"cells":null,"nbformat":4}`)
	f.Fuzz(func(t *testing.T, s string) {
		path := filepath.Join(t.TempDir(), "x.ipynb")
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		_ = notebook.Check(path)
	})
}
