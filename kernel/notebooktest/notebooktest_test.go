package notebooktest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/install/installtest"
	"github.com/gradbook/gradbook/kernel/notebooktest"
)

const test = `package mine

import (
	"testing"

	"github.com/gradbook/gradbook/kernel/notebooktest"
)

func TestGood(t *testing.T) { notebooktest.Run(t, "good.ipynb") }

func TestBad(t *testing.T) { notebooktest.Run(t, "bad.ipynb") }

func TestParameter(t *testing.T) { notebooktest.RunWith(t, "good.ipynb", map[string]string{"side": "5"}) }

func TestNone(t *testing.T) { notebooktest.Run(t, "nosuch*.ipynb") }
`

func notebook(cells ...string) string {
	var list []string
	for i, c := range cells {
		tags := ""
		if i == 0 {
			tags = `"tags": ["parameters"]`
		}
		list = append(list, `{"cell_type": "code", "id": "c`+string(rune('a'+i))+`", "metadata": {`+tags+`}, "execution_count": null, "outputs": [], "source": "`+c+`"}`)
	}
	return `{"cells": [` + strings.Join(list, ", ") + `], "metadata": {"kernelspec": {"name": "gradbook", "display_name": "Go", "language": "go"}}, "nbformat": 4, "nbformat_minor": 5}`
}

// TestRun: a module of somebody's tests its notebooks, which import its packages.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("four programs are built")
	}
	l := installtest.Layout(t)
	dir := t.TempDir()
	mod, err := os.ReadFile(filepath.Join(l.Workspace(), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(l.Workspace(), "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"go.mod":       strings.Replace(string(mod), "module gradbook.local/workspace", "module example.com/mine", 1),
		"go.sum":       string(sum),
		"mine_test.go": test,
		"geo/geo.go":   "package geo\n\nfunc Area(side int) int { return side * side }\n",
		"good.ipynb":   notebook("side := 3", `import \"example.com/mine/geo\"\nfmt.Println(\"area\", geo.Area(side))`),
		"bad.ipynb":    notebook("side := 3", `panic(\"no such thing\")`),
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-v", "-count=1", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), notebooktest.Env+"="+l.Program("gradbook"), "GOFLAGS=-mod=mod", "GOWORK=off")
	raw, err := cmd.CombinedOutput()
	out := string(raw)
	if err == nil {
		t.Error("expected a test to fail")
	}
	for _, want := range []string{
		"--- PASS: TestGood", "area 9", "--- PASS: TestParameter", "area 25",
		"--- FAIL: TestBad/bad.ipynb", "no such thing", "--- FAIL: TestNone", "no notebook matches nosuch*.ipynb",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("expected %q in\n%s", want, out)
		}
	}
}
