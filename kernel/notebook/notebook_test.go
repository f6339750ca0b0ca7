package notebook_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/install/installtest"
	"github.com/gradbook/gradbook/kernel/notebook"
)

// write makes a notebook of code cells; a cell that begins with # is Markdown.
func write(t *testing.T, sources ...string) string {
	t.Helper()
	cells := []any{}
	for _, s := range sources {
		if strings.HasPrefix(s, "#") {
			cells = append(cells, map[string]any{"cell_type": "markdown", "metadata": map[string]any{}, "source": s})
			continue
		}
		cells = append(cells, map[string]any{"cell_type": "code", "metadata": map[string]any{}, "source": s, "outputs": []any{}, "execution_count": nil})
	}
	raw, err := json.Marshal(map[string]any{"nbformat": 4, "nbformat_minor": 4, "metadata": map[string]any{}, "cells": cells})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "test.ipynb")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, path string) (notebook.Result, string, error) {
	t.Helper()
	l := installtest.Layout(t)
	var log bytes.Buffer
	r, err := notebook.Run(t.Context(), path, notebook.Options{
		Python: l.Python(), Env: l.JupyterEnv(), OutDir: filepath.Join(t.TempDir(), "out"), Log: &log,
	})
	return r, log.String(), err
}

// TestRun executes cells that print, train a model and draw, in the kernel.
func TestRun(t *testing.T) {
	r, log, err := run(t, write(t, "# A formula: $a_j = b_j$, and `$no$`.",
		`import (
	"fmt"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/viz"
)

func history() *dl.History {
	return &dl.History{Names: []string{"loss"}, Metrics: map[string][]float64{"loss": {0.5, 0.25}}}
}`,
		`%%
fmt.Print("10 %\r20 %\r准确度 30 %\n")
curves, err := viz.TrainingCurves(history())
if err != nil { panic(err) }
if err := viz.Show(curves); err != nil { panic(err) }
device, err := dl.Device()
fmt.Println("device", device.Kind, err)`))
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	if !strings.Contains(log, "\n准确度 30 %\n") || strings.Contains(log, "\n10 %") || !strings.Contains(log, "device ") {
		t.Errorf("expected what the cells print, with the last state of a line only, got\n%s", log)
	}
	if strings.Contains(log, "0.2500") {
		t.Errorf("a chart's words were printed:\n%s", log)
	}
	page, err := os.ReadFile(r.Page)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"data:image/svg+xml", "<math", "<msub>", "$no$", "准确度 30 %"} {
		if !bytes.Contains(page, []byte(part)) {
			t.Errorf("expected the page to hold %q", part)
		}
	}
	for _, part := range []string{`src="http`, `href="http`, "cdn", "<pre>10 %"} {
		if bytes.Contains(page, []byte(part)) {
			t.Errorf("expected the page not to hold %q", part)
		}
	}
	executed, err := os.ReadFile(r.Notebook)
	if err != nil || !bytes.Contains(executed, []byte("application/vnd.gradbook.echarts.v1+json")) {
		t.Errorf("expected the executed notebook to hold the chart, %v", err)
	}
}

// TestRunOrder: what a cell prints and what it shows stay in their order, and a
// progress bar leaves its end.
func TestRunOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("starts several kernels; make check")
	}
	r, log, err := run(t, write(t, "# Title\n\n<details><summary>Open & see</summary>\n\nIt is $x$:\n\n```go\nx := 1\n```\n\n</details>", `for i := range 10 {
	fmt.Print("draft\rprinted ", i, "\n")
	c, err := viz.Lines(viz.LinesConfig{}, viz.Series{Y: []float64{1, float64(i)}})
	if err != nil {
		panic(err)
	}
	viz.Show(c)
}`))
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	raw, err := os.ReadFile(r.Notebook)
	if err != nil {
		t.Fatal(err)
	}
	var nb struct {
		Cells []struct {
			Outputs []struct {
				OutputType string `json:"output_type"`
				Text       any    `json:"text"`
			} `json:"outputs"`
		} `json:"cells"`
	}
	if err := json.Unmarshal(raw, &nb); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for i, o := range nb.Cells[1].Outputs {
		kinds = append(kinds, o.OutputType)
		if want := fmt.Sprintf("[printed %d\n]", i/2); o.OutputType == "stream" && fmt.Sprint(o.Text) != want {
			t.Errorf("expected %q, got %q", want, o.Text)
		}
	}
	if got, want := strings.Join(kinds, " "), strings.TrimSpace(strings.Repeat("stream display_data ", 10)); got != want {
		t.Errorf("expected text and charts in turns, got %s", got)
	}
	page, err := os.ReadFile(r.Page)
	if err != nil {
		t.Fatal(err)
	}
	_, inside, _ := strings.Cut(string(page), "<details><summary>Open &amp; see</summary>")
	inside, _, closed := strings.Cut(inside, "</details>")
	if !closed || !strings.Contains(inside, "<math") || !strings.Contains(inside, "highlight") {
		t.Errorf("expected a part that opens, with its formula and code in it, got %.300s", inside)
	}
}

// TestRunFails: a cell that does not compile, or panics, ends the run with its
// number; what ran before is written.
func TestRunFails(t *testing.T) {
	if testing.Short() {
		t.Skip("starts several kernels; make check")
	}
	for name, cell := range map[string]string{
		"does not compile": "%%\nvar x int = \"text\"\n_ = x",
		"panics":           "%%\npanic(\"no luck\")",
		"exits":            "import \"os\"\n%%\nos.Exit(3)",
	} {
		t.Run(name, func(t *testing.T) {
			r, log, err := run(t, write(t, "import \"fmt\"\n%%\nfmt.Println(\"before\")", cell, "%%\nfmt.Println(\"after\")"))
			var failed *notebook.FailedError
			if !errors.As(err, &failed) || failed.Cell != 2 || failed.Message == "" {
				t.Fatalf("expected code cell 2 to fail, got %v\n%s", err, log)
			}
			if !strings.Contains(log, "before") || strings.Contains(log, "after") {
				t.Errorf("expected the cells before it only, got\n%s", log)
			}
			if executed, err := os.ReadFile(r.Notebook); err != nil || !bytes.Contains(executed, []byte("before")) {
				t.Errorf("expected what ran to be written, %v", err)
			}
		})
	}
}

func TestNoNotebook(t *testing.T) {
	dir := t.TempDir()
	text, old := filepath.Join(dir, "text.ipynb"), filepath.Join(dir, "old.ipynb")
	for path, content := range map[string]string{text: "hello", old: `{"nbformat": 3, "worksheets": []}`} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for path, part := range map[string]string{
		filepath.Join(dir, "gone.ipynb"): "no notebook at", text: "not a notebook", old: "nbformat 4",
	} {
		_, err := notebook.Run(t.Context(), path, notebook.Options{OutDir: dir})
		if err == nil || !strings.Contains(err.Error(), part) || !strings.Contains(err.Error(), path) {
			t.Errorf("expected an error that says %q and the path, got %v", part, err)
		}
	}
}

// TestOwnOutput: a notebook is never overwritten by its own outputs.
func TestOwnOutput(t *testing.T) {
	path := write(t, "%%")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := notebook.Run(t.Context(), path, notebook.Options{OutDir: filepath.Dir(path)}); err == nil {
		t.Error("expected an error, got none")
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the notebook was changed: %v", err)
	}
}
