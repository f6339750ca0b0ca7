package surface

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestProgram: a program pays for what it imports. With dl alone it needs nothing of the
// kernel, of charts or of the command line; with viz it needs charts besides. Its go.mod,
// tidied, tells.
func TestProgram(t *testing.T) {
	kernel := []string{"gonb", "zmq", "chromedp", "cobra", "GoMNIST", "gofrs/uuid"}
	charts := []string{"goja", "go-echarts", "gonum", "fogleman/gg"}
	for _, c := range []struct {
		name, main string
		with       []string
		without    []string
	}{
		{
			"dl", "import \"" + Module + "/dl\"\n\nfunc main() { dl.SetRandomSeed(1) }\n",
			[]string{"gomlx/gomlx"},
			append(kernel, charts...),
		},
		{
			"viz", "import \"" + Module + "/viz\"\n\nfunc main() { _ = viz.ClearOutput(true) }\n",
			append(charts, "gomlx/gomlx"),
			kernel,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			mod := tidied(t, "package main\n\n"+c.main)
			for _, other := range c.with {
				if !strings.Contains(mod, other) {
					t.Errorf("expected %s in\n%s", other, mod)
				}
			}
			for _, other := range c.without {
				if strings.Contains(mod, other) {
					t.Errorf("expected no %s in\n%s", other, mod)
				}
			}
		})
	}
}

// tidied makes a module of the program, and returns its go.mod after `go mod tidy`. The
// program must compile with it.
func tidied(t *testing.T, program string) string {
	t.Helper()
	module, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main.go": program,
		"go.mod":  "module program\n\ngo 1.26\n\nrequire " + Module + " v0.0.0\n\nreplace " + Module + " => " + module + "\n",
		"go.sum":  string(sums),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Without a network; tests of what is needed, which tidy looks at as well, may be missing.
	for _, args := range [][]string{{"mod", "tidy", "-e"}, {"vet", "."}} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOSUMDB=off", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
