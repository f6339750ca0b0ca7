package notebooks_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"

	"github.com/gradbook/gradbook/kernel/install/installtest"
	"github.com/gradbook/gradbook/kernel/notebook"
	"github.com/gradbook/gradbook/notebooks/internal/ipynb"
)

// execute runs a notebook, and returns it with its outputs.
func execute(t *testing.T, path string) (*ipynb.Notebook, notebook.Result, error) {
	t.Helper()
	l := installtest.Layout(t)
	var log bytes.Buffer
	r, err := notebook.Run(t.Context(), path, notebook.Options{Python: l.Python(), Env: l.JupyterEnv(), OutDir: t.TempDir(), Log: &log})
	var failed *notebook.FailedError
	if err != nil && !errors.As(err, &failed) {
		t.Fatalf("%v\n%s", err, log.String())
	}
	return read(t, r.Notebook), r, err
}

// TestRun executes every notebook twice (with -short, only the document's, once), the
// second time followed by the solutions of its exercises: the claims hold, and what the
// cells show is the same, but for those that measure time or the machine, and those with noise
// that nobody can repeat.
func TestRun(t *testing.T) {
	for _, name := range chapters(t) {
		if testing.Short() && filepath.Base(name) != "03-cnn.ipynb" {
			continue // executing all takes minutes; make check
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, took, err := execute(t, name)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("took %.0f s, %.0f s of the processor", took.Wall.Seconds(), took.Processor.Seconds())
			if testing.Short() {
				return
			}
			solved := filepath.Join(t.TempDir(), name)
			write(t, read(t, name).Solved(), solved)
			second, _, err := execute(t, solved)
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range first.Cells {
				if c.Tagged("machine") || c.Tagged("chance") {
					continue
				}
				a, b := shown(t, c), shown(t, second.Cells[i])
				if a != b {
					t.Errorf("cell %s: expected the same output twice, got\n%.2000s\nand\n%.2000s", c.ID, a, b)
				}
			}
		})
	}
}

// TestRunChinese executes the Chinese notebooks, with their solutions: the catalogue has
// left the code whole.
func TestRunChinese(t *testing.T) {
	if testing.Short() {
		t.Skip("executing all takes minutes; make check")
	}
	for _, name := range chapters(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			solved := filepath.Join(t.TempDir(), name)
			write(t, read(t, filepath.Join("zh", name)).Solved(), solved)
			if _, _, err := execute(t, solved); err != nil {
				t.Error(err)
			}
		})
	}
}

// shown is what a cell shows, as text. The number of a widget is another each time.
func shown(t *testing.T, c *ipynb.Cell) string {
	t.Helper()
	var all []any
	for _, o := range c.Outputs {
		if data, ok := o["data"].(map[string]any); ok {
			delete(data, "application/vnd.jupyter.widget-view+json")
		}
		all = append(all, o["name"], o["text"], o["data"])
	}
	raw, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
