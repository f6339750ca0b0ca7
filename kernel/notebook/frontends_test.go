package notebook_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/install/installtest"
	"github.com/gradbook/gradbook/kernel/notebook"
)

// front runs a program of Jupyter's in a folder.
func front(t *testing.T, dir string, args ...string) string {
	t.Helper()
	l := installtest.Layout(t)
	cmd := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(l.Python()), args[0]), args[1:]...)
	cmd.Env, cmd.Dir = append(l.JupyterEnv(), "PYTHONWARNINGS=ignore"), dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

// tagged makes a notebook as JupyterLab saves it: with a kernelspec, and its first code
// cell tagged "parameters".
func tagged(t *testing.T, sources ...string) (dir string) {
	t.Helper()
	path := write(t, sources...)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var nb map[string]any
	if err := json.Unmarshal(raw, &nb); err != nil {
		t.Fatal(err)
	}
	nb["metadata"] = map[string]any{
		"kernelspec":    map[string]any{"display_name": "Go (Gradbook)", "language": "go", "name": "gradbook"},
		"language_info": map[string]any{"name": "go", "file_extension": ".go", "mimetype": "text/x-go"},
	}
	nb["nbformat_minor"] = 5
	for i, c := range nb["cells"].([]any) {
		cell := c.(map[string]any)
		cell["id"] = string(rune('a' + i))
		if i == 0 {
			cell["metadata"] = map[string]any{"tags": []string{"parameters"}}
		}
	}
	if raw, err = json.Marshal(nb); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(path)
}

// outputs returns the text that the cells of a notebook printed.
func outputs(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var nb struct {
		Cells []struct {
			Outputs []struct{ Text notebook.Text }
		}
	}
	if err := json.Unmarshal(raw, &nb); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, c := range nb.Cells {
		for _, o := range c.Outputs {
			b.WriteString(string(o.Text))
		}
	}
	return b.String()
}

const declared = "epochs := 5 // how often\nvar rate float64 = 0.1\nname := \"plain\"\nsizes := []int{1}\nweights := map[string]float64{}\nverbose := false"

const printed = "fmt.Printf(\"%d %g %q %v %v %v\\n\", epochs, rate, name, sizes, weights, verbose)"

// TestPapermill: parameters are written in Go, of every type that YAML has.
func TestPapermill(t *testing.T) {
	if testing.Short() {
		t.Skip("other programs execute notebooks; make check")
	}
	dir := tagged(t, declared, printed)
	help := front(t, dir, "papermill", "--help-notebook", "test.ipynb")
	for _, part := range []string{"epochs:", "how often", "rate: float64 (default 0.1)"} {
		if !strings.Contains(help, part) {
			t.Errorf("expected help that says %q, got\n%s", part, help)
		}
	}
	front(t, dir, "papermill", "--no-progress-bar", "test.ipynb", "out.ipynb",
		"-y", `{"epochs": 3, "rate": 1, "name": "a \"b\" \\ 准\n$x", "sizes": [2, 3], "weights": {"a": 1, "b": 0.5}, "verbose": true}`)
	const want = `3 1 "a \"b\" \\ 准\n$x" [2 3] map[a:1 b:0.5] true` + "\n"
	if got := outputs(t, filepath.Join(dir, "out.ipynb")); got != want {
		t.Errorf("expected %q, got %q", want, got)
	}
	front(t, dir, "papermill", "--no-progress-bar", "test.ipynb", "empty.ipynb", "-y", `{"sizes": [], "weights": {}}`)
	if got, want := outputs(t, filepath.Join(dir, "empty.ipynb")), `5 0.1 "plain" [] map[] false`+"\n"; got != want {
		t.Errorf("empty ones: expected %q, got %q", want, got)
	}
}

// TestInstall: the kernel is found by a Jupyter that knows nothing of the checkout, until
// it is taken away.
func TestInstall(t *testing.T) {
	if testing.Short() {
		t.Skip("other programs execute notebooks; make check")
	}
	l := installtest.Layout(t)
	home := t.TempDir()
	gradbook := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), l.Program("gradbook"), append([]string{"install"}, args...)...)
		cmd.Env, cmd.Dir = append(os.Environ(), "JUPYTER_DATA_DIR="+home), l.Root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	spec := filepath.Join(home, "kernels", "gradbook", "kernel.json")
	gradbook()
	raw, err := os.ReadFile(spec)
	if err != nil || !strings.Contains(string(raw), l.Program("gradbook")) {
		t.Errorf("expected a kernelspec that names the checkout's program, got %s, %v", raw, err)
	}
	gradbook("--remove")
	if _, err := os.Stat(spec); !os.IsNotExist(err) {
		t.Errorf("expected it to be gone, got %v", err)
	}
	prefix := t.TempDir()
	gradbook("--prefix", prefix)
	if _, err := os.Stat(filepath.Join(prefix, "share", "jupyter", "kernels", "gradbook", "kernel.json")); err != nil {
		t.Errorf("expected a kernelspec in the environment: %v", err)
	}
	if _, err := os.Stat(filepath.Join(l.Kernelspec(), "kernel.json")); err != nil {
		t.Errorf("the checkout's own is gone: %v", err)
	}
}

// TestParameters: gradbook run sets them in the same way; a name that no cell declares
// is a mistake, and so is a notebook without parameters.
func TestParameters(t *testing.T) {
	if testing.Short() {
		t.Skip("starts four kernels; make check")
	}
	dir := tagged(t, declared, printed)
	l := installtest.Layout(t)
	try := func(path string, values map[string]string) (string, error) {
		var log strings.Builder
		_, err := notebook.Run(t.Context(), path, notebook.Options{Python: l.Python(), Env: l.JupyterEnv(), OutDir: t.TempDir(), Log: &log, Parameters: values})
		return log.String(), err
	}
	log, err := try(filepath.Join(dir, "test.ipynb"), map[string]string{"epochs": "7", "name": "x y", "sizes": "[4]"})
	if want := `7 0.1 "x y" [4] map[] false`; err != nil || !strings.Contains(log, want) {
		t.Errorf("expected %q, got %v\n%s", want, err, log)
	}
	if _, err := try(filepath.Join(dir, "test.ipynb"), map[string]string{"epoch": "7"}); err == nil || !strings.Contains(err.Error(), "undefined: epoch") {
		t.Errorf("a name that is not declared: got %v", err)
	}
	if _, err := try(write(t, printed), map[string]string{"epochs": "7"}); err == nil || !strings.Contains(err.Error(), `the tag "parameters"`) {
		t.Errorf("no parameters: got %v", err)
	}
}

// TestJupytext: a notebook is a Go file and back again, also one of GoNB's, and is
// executed from it.
func TestJupytext(t *testing.T) {
	if testing.Short() {
		t.Skip("other programs execute notebooks; make check")
	}
	sources := []string{"x := 41", "# A title\n\nand text", "%%\nfmt.Println(x + 1)", "!echo shell"}
	dir := tagged(t, sources...)
	front(t, dir, "jupytext", "--to", "go:percent", "test.ipynb")
	code, err := os.ReadFile(filepath.Join(dir, "test.go"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(code), "// # A title") || !strings.Contains(string(code), "\nx := 41\n") {
		t.Errorf("expected Go with comments, got\n%s", code)
	}
	front(t, dir, "jupytext", "--to", "ipynb", "--output", "again.ipynb", "--execute", "test.go")
	if got := outputs(t, filepath.Join(dir, "again.ipynb")); got != "42\nshell\n" {
		t.Errorf("expected the outputs of the cells, got %q\n%s", got, code)
	}
	front(t, dir, "jupytext", "--set-formats", "ipynb,go:percent", "again.ipynb")
	front(t, dir, "jupytext", "--sync", "again.ipynb")
}

// TestExecute: Jupyter's own programs for running a notebook.
func TestExecute(t *testing.T) {
	if testing.Short() {
		t.Skip("other programs execute notebooks; make check")
	}
	dir := tagged(t, "x := 41", "fmt.Println(x + 1)")
	front(t, dir, "jupyter-execute", "--output", "executed.ipynb", "test.ipynb")
	front(t, dir, "jupyter-nbconvert", "--to", "notebook", "--execute", "--output", "converted.ipynb", "test.ipynb")
	for _, name := range []string{"executed.ipynb", "converted.ipynb"} {
		if got := outputs(t, filepath.Join(dir, name)); got != "42\n" {
			t.Errorf("%s: expected 42, got %q", name, got)
		}
	}
	script := front(t, dir, "jupyter-nbconvert", "--to", "script", "--stdout", "test.ipynb")
	if !strings.Contains(script, "fmt.Println(x + 1)") {
		t.Errorf("expected the cells as a script, got\n%s", script)
	}
}
