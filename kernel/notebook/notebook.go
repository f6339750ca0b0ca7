// Package notebook executes notebooks without a browser.
package notebook

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

//go:embed run.py
var runner string

// Options say how to execute a notebook.
type Options struct {
	// Python is the interpreter that has nbclient and the kernel.
	Python string
	// Env is its environment.
	Env []string
	// OutDir is the folder for the executed notebook and the page.
	OutDir string
	// Log gets the text that cells print, as they print it.
	Log io.Writer
	// Live says that Log understands a carriage return.
	Live bool
	// Parameters are set behind the cell with the tag "parameters", as papermill does:
	// names, and values as YAML, such as 3, 0.1, text or [1, 2].
	Parameters map[string]string
	// Script is the address, seen from the page, of a script beside it that makes charts
	// of the pictures of charts on it. Without it, no script runs on the page.
	Script string
}

// Result is where the outcome was written, and how long the notebook took: by the
// clock, and of all its processes' time.
type Result struct {
	Notebook, Page  string
	Wall, Processor time.Duration
}

// FailedError is returned when a cell fails; the executed notebook is written up
// to there.
type FailedError struct {
	Path string
	// Cell counts code cells from 1; 0 if the kernel died before the first.
	Cell int
	// Message is the error's name and value.
	Message string
}

func (e *FailedError) Error() string {
	if e.Cell == 0 {
		return fmt.Sprintf("%s: %s", e.Path, e.Message)
	}
	return fmt.Sprintf("%s: code cell %d: %s", e.Path, e.Cell, e.Message)
}

// event is a line of run.py's.
type event struct {
	Cell      int
	Of        int
	Source    string
	Hidden    bool // left out of pages
	Stream    string
	Text      string
	Error     string
	Traceback []string
	Done      string
	Wall      float64
	Processor float64
}

// Run executes a notebook. It writes NAME.ipynb with the outputs, and NAME.html,
// into OutDir, also if a cell fails.
func Run(ctx context.Context, path string, o Options) (Result, error) {
	if err := Check(path); err != nil {
		return Result{}, err
	}
	name := strings.TrimSuffix(filepath.Base(path), ".ipynb")
	r := Result{Notebook: filepath.Join(o.OutDir, name+".ipynb"), Page: filepath.Join(o.OutDir, name+".html")}
	if same(path, r.Notebook) {
		return Result{}, fmt.Errorf("%s: the executed notebook would overwrite its source; choose another folder than %s", path, o.OutDir)
	}
	options, err := o.json()
	if err != nil {
		return Result{}, err
	}
	args := []string{"-c", runner, path, r.Notebook, r.Page, name, options}
	cmd := exec.CommandContext(ctx, o.Python, args...)
	cmd.Env = o.Env
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 15 * time.Second
	var errs strings.Builder
	cmd.Stderr = &errs
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return Result{}, err
	}
	if err := cmd.Start(); err != nil {
		return Result{}, err
	}
	p := printer{w: o.Log, live: o.Live}
	failed := p.follow(stdout)
	err = cmd.Wait()
	r.Wall, r.Processor = p.wall, p.processor
	switch {
	case ctx.Err() != nil:
		return Result{}, fmt.Errorf("%s: %w", path, ctx.Err())
	case failed != nil:
		failed.Path = path
		return r, failed
	case err != nil:
		return Result{}, fmt.Errorf("%s: %w\n%s", path, err, strings.TrimSpace(errs.String()))
	}
	return r, nil
}

// Render writes the page of a notebook that has outputs already.
func Render(ctx context.Context, path, page string, o Options) error {
	if err := Check(path); err != nil {
		return err
	}
	name := strings.TrimSuffix(filepath.Base(path), ".ipynb")
	options, err := o.json()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, o.Python, "-c", runner, path, "", page, name, options)
	cmd.Env = o.Env
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", path, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// json is what run.py wants to know of the options.
func (o Options) json() (string, error) {
	raw, err := json.Marshal(map[string]any{"parameters": o.Parameters, "script": o.Script})
	return string(raw), err
}

func same(a, b string) bool {
	ia, errA := os.Stat(a)
	ib, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(ia, ib)
}

// printer prints events for a person.
type printer struct {
	w    io.Writer
	live bool
	cell int
	line string // the open line, when lines are not drawn live

	wall, processor time.Duration
}

// follow prints events until there are no more, and returns the failure, if any.
func (p *printer) follow(r io.Reader) *FailedError {
	var failed *FailedError
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		var e event
		if json.Unmarshal([]byte(line), &e) == nil {
			if e.Done != "" {
				p.wall, p.processor = seconds(e.Wall), seconds(e.Processor)
			}
			if f := p.print(e); f != nil {
				failed = f
			}
		}
		if err != nil {
			p.flush()
			return failed
		}
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func (p *printer) print(e event) *FailedError {
	switch {
	case e.Error != "":
		p.flush()
		fmt.Fprintf(p.w, "%s\n", e.Error)
		return &FailedError{Cell: p.cell, Message: e.Error}
	case e.Of > 0:
		p.flush()
		p.cell = e.Cell
		if e.Hidden {
			return nil
		}
		fmt.Fprintf(p.w, "── cell %d/%d ── %s\n", e.Cell, e.Of, title(e.Source))
	case e.Text != "":
		p.text(e.Text)
		if e.Stream == "" {
			p.text("\n")
		}
	case e.Done != "" && e.Done != "ok":
		p.flush()
		if e.Done != "a cell failed" {
			return &FailedError{Cell: p.cell, Message: e.Done}
		}
	}
	return nil
}

// text prints text. Where a carriage return is not understood, a line is printed
// when it is whole, as what was left of it.
func (p *printer) text(s string) {
	if p.live {
		fmt.Fprint(p.w, s)
		return
	}
	p.line += s
	for {
		line, rest, ok := strings.Cut(p.line, "\n")
		if !ok {
			return
		}
		fmt.Fprintln(p.w, lastDrawn(line))
		p.line = rest
	}
}

func (p *printer) flush() {
	if p.line != "" {
		fmt.Fprintln(p.w, lastDrawn(p.line))
		p.line = ""
	}
}

// lastDrawn is what is left of a line that was drawn over.
func lastDrawn(line string) string {
	line = strings.TrimRight(line, "\r")
	return strings.TrimRight(line[strings.LastIndexByte(line, '\r')+1:], " ")
}

// title is the first line of a cell that says something: no import, no mark of
// GoNB's.
func title(source string) string {
	inImports := false
	for line := range strings.Lines(source) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "import ("):
			inImports = true
		case inImports:
			inImports = line != ")"
		case line != "" && line != "%%" && !strings.HasPrefix(line, "import "):
			return line
		}
	}
	return ""
}
