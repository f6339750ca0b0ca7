package ipynb

import (
	"path/filepath"
	"strings"

	"github.com/gradbook/gradbook/kernel/notebook"
)

// Chapters are the names of the tutorials in a folder, without their extension.
func Chapters(folder string) (names []string, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "[0-9]*.ipynb"))
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".ipynb"))
	}
	return names, err
}

// Edit replaces a text of a cell that stands in it once.
type Edit struct{ Cell, Old, New string }

// Line adds a line of a file of edits, and reports whether it is one:
//
//	in CELL
//	- a line, or several, of the cell
//	+ what stands there instead
func (e *Edit) Line(word, rest string) bool {
	switch word {
	case "in":
		e.Cell = rest
	case "-":
		add(&e.Old, rest)
	case "+":
		add(&e.New, rest)
	default:
		return false
	}
	return true
}

func add(text *string, line string) {
	if *text != "" {
		*text += "\n"
	}
	*text += line
}

// Apply is the source of a cell with the edit, and whether its old text stood there once.
func (e Edit) Apply(source notebook.Text) (notebook.Text, bool) {
	if e.Old == "" || strings.Count(string(source), e.Old) != 1 {
		return source, false
	}
	return notebook.Text(strings.Replace(string(source), e.Old, e.New, 1)), true
}
