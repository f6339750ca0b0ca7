package engine

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/gradbook/gradbook/kernel/cell"
	"github.com/gradbook/gradbook/kernel/session/wire"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

// Failure is a cell's error, as a client is told.
type Failure struct {
	Name, Value string
	Traceback   []string
}

func interrupted(what string) *Failure {
	return &Failure{Name: "KeyboardInterrupt", Value: what, Traceback: []string{red("KeyboardInterrupt") + ": " + what}}
}

func red(s string) string { return "\x1b[0;31m" + s + "\x1b[0m" }

func dim(s string) string { return "\x1b[0;36m" + s + "\x1b[0m" }

var cellFile = regexp.MustCompile(`cell\[(\d+)\]`)

// failure describes an error of a run, with the lines of the cells.
func (e *Engine) failure(f *wire.Failure, n int) *Failure {
	name := map[string]string{"panic": "Panic", "error": "Error", "exit": "Exit"}[f.Name]
	if name == "" {
		name = f.Name
	}
	if f.Left {
		f.Value += "; its variables stay. %restart, or another interrupt while no cell runs, ends it with the session"
	}
	out := &Failure{Name: name, Value: f.Value, Traceback: []string{}}
	for i := len(f.Frames) - 1; i >= 0; i-- {
		frame := f.Frames[i]
		at := number(frame.File)
		if at == e.origins[n] {
			at = e.numbers[n]
		}
		where := fmt.Sprintf("cell[%d]:%d", at, frame.Line)
		if frame.Function != "" {
			where += " in " + frame.Function
		}
		out.Traceback = append(out.Traceback, dim(where)+"\n"+excerpt(e.text(at), frame.Line))
	}
	head := red(name)
	if f.Value != "" {
		head += ": " + f.Value
	}
	out.Traceback = append(out.Traceback, head)
	return out
}

// text is what a person wrote into a cell.
func (e *Engine) text(number int) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.texts[number]
}

// number is the cell's in a frame's file.
func number(file string) int {
	m := cellFile.FindStringSubmatch(file)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// excerpt is a line with one line before and after it.
func excerpt(text string, line int) string {
	lines := strings.Split(text, "\n")
	var b strings.Builder
	for i := max(line-1, 1); i <= min(line+1, len(lines)); i++ {
		mark := "     "
		if i == line {
			mark = "---> "
		}
		fmt.Fprintf(&b, "%s%d %s\n", mark, i, shortened(lines[i-1]))
	}
	return strings.TrimRight(b.String(), "\n")
}

// shortened is a line without what nobody reads, such as data that a program has written.
func shortened(line string) string {
	const most = 400
	if len(line) <= most {
		return line
	}
	return strings.ToValidUTF8(line[:most], "") + " …"
}

// mistakes describes why a cell was not built.
func (e *Engine) mistakes(err error) *Failure {
	var list *cell.Error
	var compile *toolchain.CompileError
	switch {
	case errors.As(err, &list):
		f := &Failure{Name: "CompileError", Value: list.Error()}
		shown, more := list.Shown()
		for _, m := range shown {
			f.Traceback = append(f.Traceback, dim(fmt.Sprintf("cell[%d]:%d", m.Cell, m.Line))+"\n"+excerpt(e.text(m.Cell), m.Line)+"\n"+red(m.Message))
		}
		if more != "" {
			f.Traceback = append(f.Traceback, red(more))
		}
		return f
	case errors.As(err, &compile):
		return &Failure{Name: "CompileError", Value: compile.Output, Traceback: []string{red(compile.Output)}}
	}
	return &Failure{Name: "BuildError", Value: err.Error(), Traceback: []string{red("BuildError") + ": " + err.Error()}}
}
