package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/kernel/notebook"
	"github.com/gradbook/gradbook/notebooks/internal/ipynb"
)

// mutation is an edit that makes the text of a notebook false.
type mutation struct {
	notebook string     // without its extension
	name     string     // what is false then
	edit     ipynb.Edit // its cell is an ID; a solution's is the exercise's and "-solution"
	catch    place      // the claim that catches it
	with     []string   // cells that are run as well: others read what they have written
}

// place is a claim: the first of a cell is number 1.
type place struct {
	cell   string
	number int
}

func (p place) String() string { return fmt.Sprintf("%s %d", p.cell, p.number) }

// read reads the mutations of a notebook from a file:
//
//	# what is false then
//	in CELL
//	- a line, or several, of the cell
//	+ what stands there instead
//	caught by CELL NUMBER
//
// A tab that a line begins with is written as it is in the cell. A line "with CELL…"
// names cells that are run as well, since others read files that they have written:
// always, if it is before the first mutation.
func read(dir, name string) (list []mutation, err error) {
	path := filepath.Join(dir, name+".txt")
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var m *mutation
	var always []string
	for i, line := range strings.Split(string(raw), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		if word == "#" {
			list = append(list, mutation{notebook: name, name: rest, with: always})
			m = &list[len(list)-1]
			continue
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		if word == "with" {
			if m == nil {
				always = strings.Fields(rest)
			} else {
				m.with = append(slices.Clone(m.with), strings.Fields(rest)...)
			}
			continue
		}
		bad := m == nil
		if !bad {
			if word == "caught" {
				_, err := fmt.Sscanf(rest, "by %s %d", &m.catch.cell, &m.catch.number)
				bad = err != nil
			} else {
				bad = !m.edit.Line(word, rest)
			}
		}
		if bad {
			return nil, fmt.Errorf("%s:%d: expected a line of a mutation, got %q", path, i+1, line)
		}
	}
	return list, nil
}

var call = regexp.MustCompile(`\bclaim\.(That|Near)\(`)

// claims counts the claims of a cell.
func claims(c *ipynb.Cell) int { return len(call.FindAllString(string(c.Source), -1)) }

// alone is a cell of which only one claim is checked.
func alone(c *ipynb.Cell, number int) *ipynb.Cell {
	n, one := 0, *c
	one.Source = notebook.Text(call.ReplaceAllStringFunc(string(c.Source), func(s string) string {
		if n++; n == number {
			return s
		}
		return "claim.Pass("
	}))
	return &one
}

// apply returns a notebook with its solutions in which the mutation has been made, and
// of whose test cells only the claim that is to catch it is checked.
func (m mutation) apply(n *ipynb.Notebook) (*ipynb.Notebook, error) {
	solved := n.Solved()
	done := map[string]bool{}
	for i, c := range solved.Cells {
		switch c.ID {
		case m.edit.Cell:
			source, once := m.edit.Apply(c.Source)
			if !once || c.CellType != "code" {
				return nil, fmt.Errorf("%s: %s: expected %q once in code cell %s", m.notebook, m.name, m.edit.Old, m.edit.Cell)
			}
			edited := *c
			edited.Source = source
			solved.Cells[i], done["edited"] = &edited, true
		case m.catch.cell:
			if claims(c) < m.catch.number || m.catch.number < 1 {
				return nil, fmt.Errorf("%s: %s: expected a claim %v", m.notebook, m.name, m.catch)
			}
			solved.Cells[i], done["caught"] = alone(c, m.catch.number), true
		default: // it may make what the claim looks at
			if c.CellType == "code" && c.Tagged("test") {
				solved.Cells[i] = alone(c, 0)
			}
		}
	}
	if !done["edited"] || !done["caught"] {
		return nil, fmt.Errorf("%s: %s: expected the cells %q and %q", m.notebook, m.name, m.edit.Cell, m.catch.cell)
	}
	return solved, nil
}
