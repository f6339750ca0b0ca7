package programs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gradbook/gradbook/kernel/dialect"
	"github.com/gradbook/gradbook/kernel/engine"
	"github.com/gradbook/gradbook/kernel/install"
	"github.com/gradbook/gradbook/kernel/session/wire"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

// outcome is what a program does.
type outcome struct {
	out, err string
	// status is "0", "exit status 3" or "panic: " and the message.
	status string
}

// stdlib is the compiler's table of the standard library, for which some programs look.
var stdlib = sync.OnceValues(func() (file string, err error) {
	out, err := exec.Command("go", "list", "-export", "-f", "{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}", "std").Output()
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp("", "gradbook-importcfg-")
	if err != nil {
		return "", err
	}
	_, err = f.Write(out)
	return f.Name(), errors.Join(err, f.Close())
})

// patience is how long a program may take, in all.
const patience = time.Minute

// asProgram builds a program in a folder and runs it among the other programs, whose
// files some of them read.
func asProgram(ctx context.Context, dir string, p program) (outcome, error) {
	return asProgramOf(ctx, dir, dir, p, "GO111MODULE=off")
}

// asProgramOf builds a program as one of a module.
func asProgramOf(ctx context.Context, module, dir string, p program, env ...string) (outcome, error) {
	source, binary := filepath.Join(dir, filepath.Base(p.name)), filepath.Join(dir, "program")
	if err := os.WriteFile(source, p.source, 0o600); err != nil {
		return outcome{}, err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, source)
	build.Dir, build.Env = module, toolchain.Environ(env...)
	if out, err := build.CombinedOutput(); err != nil {
		return outcome{}, fmt.Errorf("%w: %s", err, out)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	run := exec.CommandContext(ctx, binary)
	run.Dir, run.Env = p.tree, install.SessionEnv()
	var out, errs bytes.Buffer
	run.Stdout, run.Stderr = &out, &errs
	err := run.Run()
	o := outcome{out: out.String(), err: errs.String(), status: "0"}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return o, ctx.Err()
	case errors.As(err, &exit):
		o.status = exit.Error()
		o.err, o.status = cutPanic(o.err, o.status)
	case err != nil:
		return o, err
	}
	return o, nil
}

// cutPanic takes what the runtime says of the end of a program off its standard error.
func cutPanic(errs, status string) (rest, end string) {
	for _, word := range []string{"panic: ", "fatal error: "} {
		if at := strings.Index("\n"+errs, "\n"+word); at >= 0 {
			end, _, _ = strings.Cut(errs[at:], "\n")
			return errs[:at], end
		}
	}
	return errs, status
}

// notebook runs cells in a session, as a kernel does.
type notebook struct {
	*engine.Engine

	mu       sync.Mutex
	out, err strings.Builder
}

func (n *notebook) Stream(name, text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if name == "stdout" {
		n.out.WriteString(text)
	} else {
		n.err.WriteString(text)
	}
}

func (n *notebook) Event(wire.Event) {}

func newNotebook(t testing.TB, tree string) *notebook {
	t.Helper()
	l, err := install.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	ways, err := toolchain.Ways()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := toolchain.HostBuilt(l.Workspace(), ways...); !ok {
		t.Fatal("the session is not built; run: make setup")
	}
	e, err := engine.New(engine.Config{
		Workspace: l.Workspace(), Ways: ways, Dir: filepath.Join(t.TempDir(), "cells"), OutputDir: t.TempDir(), Env: install.SessionEnv(), MaxOutput: 64 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	e.Setenv("PWD", tree)
	return &notebook{Engine: e}
}

// asCells runs a program as cells, in a notebook that has been reset.
func (n *notebook) asCells(ctx context.Context, cells []string) (outcome, string, error) {
	if err := n.Restart(); err != nil {
		return outcome{}, "", err
	}
	n.out.Reset()
	n.err.Reset()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	o, detail := outcome{status: "0"}, ""
	for i, text := range cells {
		d := dialect.Parse(text)
		f, err := n.Run(ctx, engine.Cell{Cell: d.Cell(i + 1), Text: text}, n)
		if err != nil {
			return o, "", err
		}
		if f != nil {
			o.status, detail = statusOf(f), fmt.Sprintf("cell %d: %s: %s", i+1, f.Name, f.Value)
			break
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	o.out, o.err = n.out.String(), n.err.String()
	return o, detail, nil
}

// statusOf is a failure as the end of a program.
func statusOf(f *engine.Failure) string {
	switch f.Name {
	case "Exit":
		return "exit status " + f.Value[strings.LastIndexByte(f.Value, ' ')+1:]
	case "Panic":
		return "panic: " + strings.SplitN(f.Value, "\n", 2)[0]
	}
	return f.Name + ": " + f.Value
}

// same says whether two outcomes are the same, as far as a panic's message is told by
// both: of a value that is no text, Go tells its type and address.
func same(a, b outcome) bool {
	if a.out != b.out || a.err != b.err {
		return false
	}
	if strings.HasPrefix(a.status, "panic: ") && strings.HasPrefix(b.status, "panic: ") {
		x, y := strings.TrimPrefix(a.status, "panic: "), strings.TrimPrefix(b.status, "panic: ")
		x, _, _ = strings.Cut(x, " [recovered")
		return x == y || strings.HasPrefix(x, "main.") || strings.HasPrefix(x, "(") || strings.Contains(x, y)
	}
	return a.status == b.status
}
