package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gradbook/gradbook/kernel/cell"
	"github.com/gradbook/gradbook/kernel/engine"
	"github.com/gradbook/gradbook/kernel/session/wire"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

// TryCell runs a cell as a kernel does, and says how long it took.
func (l Layout) TryCell(ctx context.Context, ways ...toolchain.Way) (took time.Duration, err error) {
	all, err := l.TryCells(ctx, ways, `fmt.Println(strings.Repeat("cell", 2))`)
	if err != nil {
		return 0, err
	}
	if all[0].Out != "cellcell\n" {
		return 0, fmt.Errorf("a cell was to print \"cellcell\", and printed %q", all[0].Out)
	}
	return all[0].Took, nil
}

// Tried is a cell that has run: what it printed, and how long it took to build and run.
type Tried struct {
	Out  string
	Took time.Duration
}

// TryCells runs cells one after the other in a session of their own, as a kernel does.
func (l Layout) TryCells(ctx context.Context, ways []toolchain.Way, texts ...string) (all []Tried, err error) {
	tmp, err := RunFolder(l)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(tmp, "gradbook-try-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // what is left is in a folder for such
	e, err := engine.New(engine.Config{Workspace: l.Workspace(), Ways: ways, Dir: filepath.Join(dir, "cells"), OutputDir: dir, Env: SessionEnv()})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	for i, text := range texts {
		var out tried
		start := time.Now()
		f, err := e.Run(ctx, engine.Cell{Cell: cell.Cell{Number: i + 1, Text: text}, Text: text}, &out)
		if err != nil {
			return all, err
		}
		if f != nil {
			return all, fmt.Errorf("a cell does not run: %s: %s", f.Name, f.Value)
		}
		all = append(all, Tried{out.String(), time.Since(start)})
	}
	return all, nil
}

// tried gets what a cell prints.
type tried struct {
	mu sync.Mutex
	b  strings.Builder
}

func (t *tried) Stream(_, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b.WriteString(text)
}

func (t *tried) Event(wire.Event) {}

func (t *tried) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}
