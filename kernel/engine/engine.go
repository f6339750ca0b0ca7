// Package engine runs the Go cells of a notebook: it composes them, builds them,
// and has the session run them. It looks after the session's process, which may
// die of what a cell does, and after what the cells print.
package engine

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
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
	history []ran          // of this session
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
	e.proc, e.loaded, e.history = proc, map[int]bool{}, nil
	e.builder.Renew()
	env := e.env
	e.mu.Unlock()
	for _, kv := range env {
		_ = proc.send(wire.Request{Op: "setenv", Key: kv[0], Value: kv[1]})
	}
	return nil
}
