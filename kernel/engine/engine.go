// Package engine runs the Go cells of a notebook: it composes them, builds them,
// and has the session run them. It looks after the session's process, which may
// die of what a cell does, and after what the cells print.
package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gradbook/gradbook/kernel/cell"
	"github.com/gradbook/gradbook/kernel/session/wire"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

// Config says where an engine finds things.
type Config struct {
	// Workspace is the workspace module, with the built host in it; Ways are how cells
	// may be linked, the best first.
	Workspace string
	Ways      []toolchain.Way
	// Dir is a folder for the libraries of cells; the engine removes it.
	Dir string
	// OutputDir gets what a cell prints beyond MaxOutput bytes.
	OutputDir string
	// MaxOutput bounds what is shown of a cell's output, in bytes; 0 means 2 MB.
	MaxOutput int
	// Grace is how long a cell may take to end after an interrupt; 0 means 5 s.
	Grace time.Duration
	// MemoryLimit ends a session that holds more, in bytes; 0 means no limit.
	MemoryLimit int64
	// Env is the session's environment.
	Env []string
}

// Sink gets what a cell puts out. Its methods may be called after the cell has
// ended, and from several goroutines.
type Sink interface {
	// Stream is standard output ("stdout") or error ("stderr").
	Stream(name, text string)
	// Event is a display, a result or a request for input.
	Event(wire.Event)
}

// Engine runs the cells of one notebook. Run is called by one goroutine at a
// time, the other methods by any.
type Engine struct {
	config   Config
	builder  *toolchain.Builder
	notebook *cell.Notebook
	context  atomic.Pointer[cell.Context]

	mu      sync.Mutex
	proc    *process
	loaded  map[int]bool
	numbers map[int]int    // prompt numbers of libraries, as they were last run
	origins map[int]int    // and as they were built
	texts   map[int]string // of cells, for the lines that errors show
	env     [][2]string
	stopped bool
}

// New makes an engine and starts its session.
func New(c Config) (*Engine, error) {
	if c.MaxOutput == 0 {
		c.MaxOutput = 2 << 20
	}
	if c.Grace == 0 {
		c.Grace = 5 * time.Second
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	b, err := toolchain.NewBuilder(c.Workspace, c.Dir, c.Ways...)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(c.Dir))
	}
	b.Set(func(s *toolchain.Settings) { s.Dir = dir })
	e := &Engine{config: c, builder: b, notebook: cell.New(), numbers: map[int]int{}, origins: map[int]int{}, texts: map[int]string{}}
	// The session's program does not know where Go is.
	e.config.Env = append(slices.Clone(c.Env), "GOROOT="+b.Root())
	e.context.Store(e.notebook.Context())
	if err := e.start(); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// Notebook is the source side of the session. It must not be used while Run
// runs.
func (e *Engine) Notebook() *cell.Notebook { return e.notebook }

// Context is what the notebook has declared; it may be asked for while a cell
// runs.
func (e *Engine) Context() *cell.Context { return e.context.Load() }

// Remove forgets a declaration or a variable, and says whether there was one.
func (e *Engine) Remove(name string) bool {
	found := e.notebook.Remove(name)
	e.context.Store(e.notebook.Context())
	return found
}

// Builder is what builds the cells.
func (e *Engine) Builder() *toolchain.Builder { return e.builder }

// Cell is a cell to run.
type Cell struct {
	cell.Cell
	// Text is what the person wrote, for the lines that errors show.
	Text       string
	Args       []string
	AllowStdin bool
}

var errLost = errors.New("the session has ended")

// Run runs a cell; the end of ctx interrupts it. Only a failure of the cell is returned;
// what goes wrong with the session is part of it. A cell that only GoNB can run has not
// been run, see [cell.ErrGoNB].
func (e *Engine) Run(ctx context.Context, c Cell, sink Sink) (f *Failure, err error) {
	if f := e.diedIdle(); f != nil {
		return f, nil
	}
	e.mu.Lock()
	e.texts[c.Number] = c.Text
	e.mu.Unlock()
	out, err := e.notebook.Compose(e.builder.Packages(ctx), c.Cell)
	switch {
	case ctx.Err() != nil:
		return interrupted("interrupted while the cell was read; none of its Go has run"), nil //nolint:nilerr // the interrupt is why
	case errors.Is(err, cell.ErrGoNB):
		return nil, err
	case err != nil:
		return e.mistakes(err), nil
	}
	if out.Build {
		_, err = e.builder.Build(ctx, out.N, out.Source, out.Embeds)
		if ctx.Err() != nil {
			return interrupted("interrupted while the cell was built; none of its Go has run"), nil //nolint:nilerr // the interrupt is why
		}
		if err != nil {
			return e.mistakes(err), nil
		}
	}
	out.Commit()
	e.context.Store(e.notebook.Context())
	if out.Build {
		e.mu.Lock()
		e.origins[out.N] = c.Number
		e.mu.Unlock()
	}
	for _, path := range e.builder.Edited() {
		sink.Stream("stderr", path+" has been edited since it was imported; %restart, and run the cells again, to use it as it is now\n")
	}
	for _, note := range out.Notes {
		sink.Stream("stderr", note+"\n")
	}
	return e.execute(ctx, c, out.N, sink), nil
}

// diedIdle reports a session that has died since the last cell. A cell must not
// run in the belief that its variables are still there.
func (e *Engine) diedIdle() *Failure {
	e.mu.Lock()
	proc := e.proc
	e.mu.Unlock()
	if proc != nil {
		select {
		case <-proc.ended:
		default:
			return nil
		}
	}
	if len(e.notebook.Variables()) > 0 {
		return e.died(proc)
	}
	// Nothing was lost: the cell may as well run.
	e.notebook.Lose()
	if err := e.start(); err != nil {
		return &Failure{Name: "SessionError", Value: err.Error(), Traceback: []string{err.Error()}}
	}
	return nil
}

// execute has the session run a library.
func (e *Engine) execute(ctx context.Context, c Cell, n int, sink Sink) *Failure {
	e.mu.Lock()
	proc := e.proc
	if proc == nil {
		e.mu.Unlock()
		return e.died(nil)
	}
	library := ""
	if !e.loaded[n] {
		library = e.builder.Library(n)
	}
	e.loaded[n], e.numbers[n] = true, c.Number
	e.mu.Unlock()
	done := proc.begin(sink)
	err := proc.send(wire.Request{Op: "run", N: n, Library: library, Args: c.Args, AllowStdin: c.AllowStdin})
	if err != nil {
		<-proc.ended
		return e.died(proc)
	}
	asked, deadline := false, (<-chan time.Time)(nil)
	interrupts := ctx.Done()
	for {
		select {
		case f := <-done:
			if f == nil {
				return nil
			}
			return e.failure(f, n)
		case <-proc.ended:
			f := e.died(proc)
			if asked {
				f.Name = "KeyboardInterrupt"
			}
			return f
		case <-interrupts:
			interrupts, asked = nil, true
			_ = proc.send(wire.Request{Op: "interrupt", Milliseconds: e.config.Grace.Milliseconds()})
			deadline = time.After(e.config.Grace + sessionGrace)
		case <-deadline:
			proc.killFor(fmt.Sprintf("the session did not answer within %s of the interrupt, and was ended", e.config.Grace+sessionGrace))
		}
	}
}

// sessionGrace is how much longer than a cell the session itself may take after an
// interrupt: by then it has left the cell behind.
const sessionGrace = 3 * time.Second

// Interrupt ends what a widget calls; what ends a cell is its context. If an earlier
// interrupt has left goroutines behind, which the person was told, they are ended with
// their session.
func (e *Engine) Interrupt() {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.proc == nil:
	case e.proc.leftBehind():
		e.proc.killFor("interrupted once more, while no cell ran: what was left behind is ended, and the session with it")
	default:
		_ = e.proc.send(wire.Request{Op: "interrupt", Milliseconds: e.config.Grace.Milliseconds()}) // if it is gone, nothing runs
	}
}

// Input answers a request for input.
func (e *Engine) Input(value string) {
	e.mu.Lock()
	proc := e.proc
	e.mu.Unlock()
	if proc != nil {
		_ = proc.send(wire.Request{Op: "input", Value: value})
	}
}

// Comm passes a message to the session's widgets, and says whether it is theirs.
func (e *Engine) Comm(c wire.Comm) bool {
	e.mu.Lock()
	proc := e.proc
	e.mu.Unlock()
	if proc == nil || !proc.track(&c) {
		return false
	}
	_ = proc.send(wire.Request{Op: "comm", Comm: &c}) // if it is gone, so are its widgets
	return true
}

// Comms are the open comms of the session's widgets: targets by id.
func (e *Engine) Comms() map[string]string {
	e.mu.Lock()
	proc := e.proc
	e.mu.Unlock()
	if proc == nil {
		return nil
	}
	proc.mu.Lock()
	defer proc.mu.Unlock()
	return maps.Clone(proc.comms)
}

// Setenv sets a variable of the session's environment, also in sessions to come.
// The key PWD changes its folder.
func (e *Engine) Setenv(key, value string) {
	e.mu.Lock()
	e.env = append(e.env, [2]string{key, value})
	if key == "PWD" {
		e.builder.Set(func(s *toolchain.Settings) { s.Dir = value })
	}
	proc := e.proc
	e.mu.Unlock()
	if proc != nil {
		_ = proc.send(wire.Request{Op: "setenv", Key: key, Value: value})
	}
}

// Variables describes session variables: all, or those named.
func (e *Engine) Variables(names []string) ([]wire.Variable, error) {
	e.mu.Lock()
	proc := e.proc
	e.mu.Unlock()
	if proc == nil {
		return nil, nil
	}
	return proc.variables(names)
}

// Restart ends the session and starts another, and forgets everything.
func (e *Engine) Restart() error {
	e.Stop()
	e.notebook.Reset()
	e.context.Store(e.notebook.Context())
	e.mu.Lock()
	e.stopped = false
	e.mu.Unlock()
	return e.start()
}

// Stop ends the session.
func (e *Engine) Stop() {
	e.mu.Lock()
	proc := e.proc
	e.proc, e.stopped = nil, true
	e.mu.Unlock()
	if proc != nil {
		proc.stop()
	}
}

// Close ends the session and removes the engine's files.
func (e *Engine) Close() error {
	e.Stop()
	return errors.Join(e.builder.Close(), os.RemoveAll(e.config.Dir))
}

func (e *Engine) start() error {
	proc, err := startProcess(e.builder.Program(), e.config)
	if err != nil {
		return fmt.Errorf("cannot start the session: %w", err)
	}
	e.mu.Lock()
	if e.stopped {
		e.mu.Unlock()
		proc.stop()
		return errLost
	}
	e.proc, e.loaded = proc, map[int]bool{}
	e.builder.Renew()
	env := e.env
	e.mu.Unlock()
	for _, kv := range env {
		_ = proc.send(wire.Request{Op: "setenv", Key: kv[0], Value: kv[1]})
	}
	return nil
}

// died says what is lost with a session, and starts the next.
func (e *Engine) died(proc *process) *Failure {
	lost := e.notebook.Lose()
	e.context.Store(e.notebook.Context())
	why := "the session has ended"
	if proc != nil {
		proc.drain()
		why = proc.reason()
	}
	f := &Failure{Name: "SessionDied", Value: why}
	f.Traceback = []string{red("SessionDied") + ": " + why}
	if len(lost) > 0 {
		f.Value += "; lost: " + strings.Join(lost, ", ")
		f.Traceback = append(f.Traceback, "A new session has started. Lost variables: "+strings.Join(lost, ", ")+". Functions and types are still declared.")
	} else {
		f.Traceback = append(f.Traceback, "A new session has started. No variables were lost.")
	}
	e.mu.Lock()
	if e.proc == proc {
		e.proc = nil
	}
	stopped := e.stopped
	e.mu.Unlock()
	if !stopped {
		if err := e.start(); err != nil {
			f.Traceback = append(f.Traceback, err.Error())
		}
	}
	return f
}
