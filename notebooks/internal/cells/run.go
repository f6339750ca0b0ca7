package cells

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gradbook/gradbook/kernel/dialect"
	"github.com/gradbook/gradbook/kernel/engine"
	"github.com/gradbook/gradbook/kernel/install"
	"github.com/gradbook/gradbook/kernel/notebook"
	"github.com/gradbook/gradbook/kernel/session/wire"
	"github.com/gradbook/gradbook/kernel/toolchain"
	"github.com/gradbook/gradbook/notebooks/internal/ipynb"
)

// FailedError is a cell that failed.
type FailedError struct{ ID, Message string }

func (e *FailedError) Error() string { return fmt.Sprintf("cell %s: %s", e.ID, e.Message) }

// Run runs cells in a session of their own, and returns what each printed, by its ID.
// Where one needs a shell, a kernel runs them all, which takes longer, and nothing is
// returned. It needs Gradbook to be set up.
func Run(ctx context.Context, list []*ipynb.Cell) (printed map[string]string, err error) {
	l, err := install.Find(".")
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		for _, s := range dialect.Parse(string(c.Source)).Segments {
			if strings.HasPrefix(s.Name, "!") {
				return nil, inKernel(ctx, l, list)
			}
		}
	}
	return inSession(ctx, l, list, nil)
}

// Try is Run that goes on after a test cell that fails, and returns what each said.
func Try(ctx context.Context, list []*ipynb.Cell) (printed, failed map[string]string, err error) {
	l, err := install.Find(".")
	if err != nil {
		return nil, nil, err
	}
	failed = map[string]string{}
	printed, err = inSession(ctx, l, list, failed)
	return printed, failed, err
}

// inKernel runs cells as JupyterLab does.
func inKernel(ctx context.Context, l install.Layout, list []*ipynb.Cell) (err error) {
	dir, err := os.MkdirTemp("", "gradbook-cells-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	n := &ipynb.Notebook{Cells: list, Metadata: []byte(`{"kernelspec": {"display_name": "Go", "language": "go", "name": "gradbook"}}`), NBFormat: 4, NBFormatMinor: 5}
	path := filepath.Join(dir, "cells.ipynb")
	if err := n.Write(path); err != nil {
		return err
	}
	_, err = notebook.Run(ctx, path, notebook.Options{Python: l.Python(), Env: l.JupyterEnv(), OutDir: filepath.Join(dir, "out"), Log: io.Discard})
	var failed *notebook.FailedError
	if errors.As(err, &failed) && failed.Cell > 0 {
		return &FailedError{list[failed.Cell-1].ID, failed.Message}
	}
	return err
}

func inSession(ctx context.Context, l install.Layout, list []*ipynb.Cell, failed map[string]string) (printed map[string]string, err error) {
	ways, err := toolchain.Ways()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "gradbook-cells-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	e, err := engine.New(engine.Config{
		Workspace: l.Workspace(), Ways: ways, Dir: filepath.Join(dir, "cells"), OutputDir: dir, Env: install.SessionEnv(),
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	e.Setenv("PWD", dir)
	e.Setenv("TMPDIR", dir) // several run at once
	printed = map[string]string{}
	for i, c := range list {
		t := dialect.Parse(string(c.Source))
		if !t.HasGo() {
			continue
		}
		out := &output{}
		f, err := e.Run(ctx, engine.Cell{Cell: t.Cell(i + 1), Text: string(c.Source)}, out)
		if err != nil {
			return printed, fmt.Errorf("cell %s: %w", c.ID, err)
		}
		if ctx.Err() != nil {
			return printed, fmt.Errorf("cell %s: %w", c.ID, ctx.Err())
		}
		printed[c.ID] = out.text()
		if f != nil && failed != nil && c.Tagged("test") {
			failed[c.ID] = f.Value
		} else if f != nil {
			return printed, &FailedError{c.ID, f.Name + ": " + f.Value}
		}
	}
	return printed, nil
}

// output keeps what a cell prints.
type output struct {
	mu sync.Mutex
	b  strings.Builder
}

func (o *output) Stream(_, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.b.WriteString(text)
}

func (o *output) Event(wire.Event) {}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
