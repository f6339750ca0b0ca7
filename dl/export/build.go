package export

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"text/template"

	"github.com/gradbook/gradbook/dl/export/internal/golang"
)

// goCommand runs the go command in the export's folder, with settings of its own.
func (e *exported) goCommand(env []string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = e.dir
	cmd.Env = append(append(os.Environ(), "GOWORK=off", "GOFLAGS=", "GOEXPERIMENT="), env...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, said.Bytes())
	}
	return out.Bytes(), nil
}

// build builds the module in the export's folder, without what only a debugger wants.
func (e *exported) build(env []string, name string, more ...string) error {
	args := append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", name}, more...)
	_, err := e.goCommand(env, append(args, ".")...)
	return err
}

// around writes a module that has the model's package in a folder.
func (e *exported) around(p *golang.Package, files map[string][]byte) error {
	for name, content := range p.Files {
		files[e.Package+"/"+name] = content
	}
	return e.files(files)
}

func execute(t *template.Template, data any) ([]byte, error) {
	var b bytes.Buffer
	err := t.Execute(&b, data)
	return b.Bytes(), err
}
