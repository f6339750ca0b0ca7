package engine

import (
	"slices"

	"github.com/gradbook/gradbook/kernel/session/wire"
)

// Variables describes session variables, all or those named, that the notebook has yet.
func (e *Engine) Variables(names []string) ([]wire.Variable, error) {
	answer, err := e.ask(wire.Request{Op: "variables", Names: names})
	live := e.Context().Variables()
	return slices.DeleteFunc(answer.Variables, func(v wire.Variable) bool { return !slices.Contains(live, v.Name) }), err
}

// Inspect describes the parts of a variable, or of what a path leads to in it: at each
// step the index of a part.
func (e *Engine) Inspect(name string, path []int) ([]wire.Variable, error) {
	answer, err := e.ask(wire.Request{Op: "inspect", Names: []string{name}, Path: path})
	return answer.Variables, err
}

// Shown are a variable's forms by MIME type, as a cell that ends in it shows them.
func (e *Engine) Shown(name string) (map[string]any, error) {
	answer, err := e.ask(wire.Request{Op: "show", Names: []string{name}})
	return answer.Data, err
}

func (e *Engine) ask(r wire.Request) (wire.Event, error) {
	e.mu.Lock()
	proc := e.proc
	e.mu.Unlock()
	if proc == nil {
		return wire.Event{}, nil
	}
	return proc.ask(r)
}

// Rows are rows of a table that a cell has shown: "rows", "start", and how many there are
// in "total".
func (e *Engine) Rows(q wire.Table) (map[string]any, error) {
	answer, err := e.ask(wire.Request{Op: "table", Table: &q})
	return answer.Data, err
}
