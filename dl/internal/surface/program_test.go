package surface

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestProgram: a program that imports dl alone needs nothing of the kernel, of charts or of the
// command line: its go.mod, tidied, names none of it.
func TestProgram(t *testing.T) {
	module, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main.go": "package main\n\nimport \"" + Module + "/dl\"\n\nfunc main() { dl.SetRandomSeed(1) }\n",
		"go.mod":  "module program\n\ngo 1.26\n\nrequire " + Module + " v0.0.0\n\nreplace " + Module + " => " + module + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o600); err != nil {
		t.Fatal(err)
	}
	// Without a network; tests of what is needed, which tidy looks at as well, may be missing.
	tidy := exec.CommandContext(t.Context(), "go", "mod", "tidy", "-e")
	tidy.Dir = dir
	tidy.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOSUMDB=off", "GOWORK=off")
	if out, err := tidy.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "github.com/gomlx/gomlx") {
		t.Fatalf("expected GoMLX in\n%s", text)
	}
	for _, other := range []string{"gonb", "zmq", "goja", "chromedp", "cobra", "GoMNIST", "go-echarts", "gonum", "fogleman/gg"} {
		if strings.Contains(string(text), other) {
			t.Errorf("expected no %s in\n%s", other, text)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "vet", ".")
	build.Dir, build.Env = dir, tidy.Env
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
