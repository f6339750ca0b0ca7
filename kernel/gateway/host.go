package gateway

import (
	"fmt"
	"os"
	"strings"

	"github.com/gradbook/gradbook/kernel/dialect"
	"github.com/gradbook/gradbook/kernel/engine"
	"github.com/gradbook/gradbook/kernel/session/wire"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

// An execution is the [dialect.Host] of its cell's commands.
var _ dialect.Host = (*execution)(nil)

func (e *execution) Print(text string) { e.Stream("stdout", text) }
func (e *execution) Warn(text string)  { e.Stream("stderr", text) }

// Display shows a text of a MIME type.
func (e *execution) Display(mime, text string) {
	e.Event(wire.Event{Event: "display", Data: map[string]any{mime: text, "text/plain": text}})
}

// Replace puts a text in the place of the cell's, by Jupyter's set_next_input.
func (e *execution) Replace(text string) {
	e.page = map[string]any{"source": "set_next_input", "text": text, "replace": true}
}

func (e *execution) Restart(all bool) error {
	if all {
		e.g.gonb.close()
	}
	return e.g.engine().Restart()
}

func (e *execution) Variables(names []string) ([]dialect.Variable, error) {
	all, err := e.g.engine().Variables(names)
	if err != nil {
		return nil, err
	}
	var list []dialect.Variable
	for _, v := range all {
		list = append(list, dialect.Variable{Name: v.Name, Type: v.Type, Shape: v.Shape, Size: size(v.Bytes), Text: v.Text})
	}
	return list, nil
}

func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f kB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}

func (e *execution) Declarations() map[string][]string { return e.g.engine().Notebook().Declarations() }

func (e *execution) Remove(name string) bool { return e.g.engine().Remove(name) }

func (e *execution) Setenv(key, value string) error {
	if err := os.Setenv(key, value); err != nil {
		return err
	}
	e.g.engine().Setenv(key, value)
	e.g.gonb.remember(fmt.Sprintf("%%env %s %q", key, value))
	return nil
}

func (e *execution) Chdir(dir string) error {
	if err := os.Chdir(dir); err != nil {
		return err
	}
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	e.g.engine().Setenv("PWD", wd)
	e.g.gonb.remember(fmt.Sprintf("%%cd %q", wd))
	return nil
}

func (e *execution) AutoGet(on bool) {
	e.g.engine().Builder().Set(func(s *toolchain.Settings) { s.NoAutoGet = !on })
	command := "%autoget"
	if !on {
		command = "%noautoget"
	}
	e.g.gonb.remember(command)
}

func (e *execution) Capture(file string, toEnd bool) error {
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if toEnd {
		flags = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(file, flags, 0o666)
	if err != nil {
		return err
	}
	e.endCapture()
	e.mu.Lock()
	e.capture = f
	e.mu.Unlock()
	return nil
}

// failureError is a failure as an error.
type failureError struct{ *engine.Failure }

func (e *failureError) Error() string { return e.Name + ": " + e.Value }

func (e *execution) GoNB(s dialect.Segment) error {
	if f := e.g.gonb.run(e, strings.TrimSpace(s.Name+" "+s.Args)); f != nil {
		return &failureError{f}
	}
	return nil
}

// program has GoNB run a cell as a program of its own, which has the notebook's
// declarations.
func (e *execution) program(t dialect.Text) *engine.Failure {
	imports, rest := e.g.engine().Notebook().Program(t.Cell(0))
	return e.g.gonb.run(e, withDeclarations(t, imports, rest))
}

// withDeclarations puts declarations behind a cell, or before its main part, and their
// imports into its first line, so that its lines keep their numbers.
func withDeclarations(t dialect.Text, imports []string, rest string) string {
	if rest == "" {
		return t.Source
	}
	first, main := -1, -1 // where Go begins, and where the main part does
	for _, s := range t.Segments {
		switch {
		case s.Kind == dialect.Go && first < 0 && main < 0:
			text := t.Source[s.Start:s.End]
			first = s.Start + len(text) - len(strings.TrimLeft(text, " \t\n"))
		case s.Kind == dialect.Line && (s.Name == "%%" || s.Name == "%main"):
			main = s.Start
		case s.Kind == dialect.Whole:
			return t.Source
		}
	}
	text := t.Source
	if main >= 0 {
		text = text[:main] + rest + "\n" + text[main:]
	} else {
		text += "\n" + rest
	}
	if len(imports) == 0 {
		return text
	}
	if first >= 0 {
		return text[:first] + strings.Join(imports, "; ") + "; " + text[first:]
	}
	at := max(main, 0)
	if main < 0 {
		at = len(t.Source) + 1
	}
	return text[:at] + strings.Join(imports, "\n") + "\n" + text[at:]
}
