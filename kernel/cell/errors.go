package cell

import (
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"go/types"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Error is what is wrong with a cell.
type Error struct {
	// List holds the single mistakes, in order.
	List []Mistake
}

// Mistake is at a place in a cell.
type Mistake struct {
	Cell, Line, Column int
	Message            string
}

func (e *Error) Error() string {
	shown, more := e.Shown()
	var lines []string
	for _, m := range shown {
		lines = append(lines, fmt.Sprintf("cell[%d]:%d:%d: %s", m.Cell, m.Line, m.Column, m.Message))
	}
	if more != "" {
		lines = append(lines, more)
	}
	return strings.Join(lines, "\n")
}

// maxShown is how many mistakes a reader is told of at once, as by Go's compiler.
const maxShown = 10

// Shown are the first mistakes, and a line that says how many there are beyond them; ""
// if there are none.
func (e *Error) Shown() (list []Mistake, more string) {
	if rest := len(e.List) - maxShown; rest > 0 {
		return e.List[:maxShown], fmt.Sprintf("… and %d more", rest)
	}
	return e.List, ""
}

// sorted returns an error of mistakes in the order of their places, each said once.
func sorted(list []Mistake) *Error {
	slices.SortStableFunc(list, func(a, b Mistake) int {
		if a.Cell != b.Cell {
			return a.Cell - b.Cell
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return &Error{slices.Compact(list)}
}

// fileName is the name under which the compiler, and so a stack trace, knows a cell.
func fileName(cell int) string { return fmt.Sprintf("cell[%d]", cell) }

// cellOf is the number of the cell that a file name is of.
func cellOf(name string) (int, bool) {
	name = name[strings.LastIndexByte(name, '/')+1:]
	digits, begins := strings.CutPrefix(name, "cell[")
	digits, ends := strings.CutSuffix(digits, "]")
	if !begins || !ends {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil
}

func scannerErrors(err error) scanner.ErrorList {
	var list scanner.ErrorList
	if errors.As(err, &list) {
		return list
	}
	return scanner.ErrorList{{Msg: err.Error()}}
}

// code tells go/types' errors apart, whose text is for people.
//
// Source: internal/types/errors/codes.go, whose numbers do not change; gopls reads
// them in the same way.
type code int64

const (
	unusedImport code = 8
	notAnExpr    code = 42
	undeclared   code = 75
	unusedExpr   code = 100
	unusedVar    code = 101
)

func codeOf(err types.Error) code {
	f := reflect.ValueOf(err).FieldByName("go116code")
	if !f.IsValid() {
		return 0
	}
	return code(f.Int())
}

// at reports the mistake at a position, in the cell that it is in.
func at(fset *token.FileSet, pos token.Pos, fallback int, message string) Mistake {
	p := fset.Position(pos)
	if n, ok := cellOf(p.Filename); ok {
		return Mistake{n, p.Line, p.Column, message}
	}
	return Mistake{fallback, 1, 1, message}
}
