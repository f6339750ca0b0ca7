package export

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"text/template"
)

// goCommand runs the go command in a folder of the export, with settings of its own.
func goCommand(dir string, env []string, args ...string) ([]byte, error) {
	return command(dir, append([]string{"GOWORK=off", "GOFLAGS=", "GOEXPERIMENT="}, env...), "go", args...)
}

func command(dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(context.Background(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), args[0], err, said.Bytes())
	}
	return out.Bytes(), nil
}

func execute(t *template.Template, data any) ([]byte, error) {
	var b bytes.Buffer
	err := t.Execute(&b, data)
	return b.Bytes(), err
}
