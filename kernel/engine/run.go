package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gradbook/gradbook/kernel/cell"
	"github.com/gradbook/gradbook/kernel/session/wire"
)

// Cell is a cell to run.
type Cell struct {
	cell.Cell
	// Text is what the person wrote, for the lines that errors show.
	Text       string
	Args       []string
	AllowStdin bool
	Profile    string // "cpu", "memory", or none
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
	notes, f := e.reload(ctx)
	if f != nil {
		return f, nil
	}
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
	for _, note := range append(notes, out.Notes...) {
		sink.Stream("stderr", note+"\n")
	}
	return e.execute(ctx, c, out.N, e.remember(c), sink), nil
}

// reload has packages that a person has edited be what they are now.
func (e *Engine) reload(ctx context.Context) (notes []string, f *Failure) {
	reloaded, stale, err := e.builder.Reload(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, interrupted("interrupted while a package that has been edited was compiled; none of the cell's Go has run")
	case err != nil:
		return nil, e.mistakes(fmt.Errorf("a package has been edited, and cannot be used as it is now: %w", err))
	}
	if len(reloaded) > 0 {
		e.notebook.Edited(reloaded)
		notes = append(notes, strings.Join(reloaded, ", ")+": compiled as edited")
	}
	for _, path := range stale {
		notes = append(notes, path+" has been edited since it was imported; it has C or assembly in it, so %restart, and run the cells again, to use it as it is now")
	}
	return notes, nil
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

// execute has the session run a library. What is to be run again, if the notebook has
// not run in order, is for those that ask.
func (e *Engine) execute(ctx context.Context, c Cell, n int, again string, sink Sink) *Failure {
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
	err := proc.send(wire.Request{Op: "run", N: n, Library: library, Args: c.Args, AllowStdin: c.AllowStdin, Profile: c.Profile, Again: again})
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
