package cell

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

const (
	// packagePath is the import path of the package that a notebook is.
	packagePath = "main"
	// runtimePath is the package by which cells talk to the session, runtimeName
	// its name in them.
	runtimePath = "github.com/gradbook/gradbook/kernel/session"
	runtimeName = "gradbookʹ"
)

// Input is a cell to compose.
type Input struct {
	// Number is the cell's, as in its prompt.
	Number int
	// Source is its Go source. Lines that are not Go are blank.
	Source string
	// Main, if not empty, holds the statements of a cell that says where its main
	// function begins (%%), whose first line is MainLine. Otherwise statements
	// stand anywhere in Source, and what they declare outermost lives on.
	Main     string
	HasMain  bool
	MainLine int
	// Call is a function to call at the end (%exec).
	Call string
}

// Output is a composed cell.
type Output struct {
	// N is the number of its library. Build is false if that is built already.
	N     int
	Build bool
	// Source is the file to compile.
	Source []byte
	// Notes tell of values that are lost or made anew.
	Notes []string
	// Embeds are the patterns of its go:embed directives.
	Embeds []string

	commit func()
}

// Commit makes the cell's declarations those of the notebook. It is called when
// the cell has been built.
func (o *Output) Commit() { o.commit() }

// Error is a mistake in a cell.
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
	lines := make([]string, len(e.List))
	for i, m := range e.List {
		lines[i] = fmt.Sprintf("cell[%d]:%d:%d: %s", m.Cell, m.Line, m.Column, m.Message)
	}
	return strings.Join(lines, "\n")
}

// composition is a cell under way.
type composition struct {
	notebook *Notebook
	in       Input
	next     state

	fresh      []*decl // of this cell, but for the following
	freshVars  []*decl
	oneShot    []*decl // init and main
	statements []chunk
	blank      []string // imports for their effects
	again      []*decl  // variables that are initialised again
	lost       []string
	notes      []string

	layout, methods, funcs map[string]bool // names that changed, by what changed

	show    bool            // wrap the last expression
	hoistUp map[string]bool // := variables that the cell's functions use

	// The file that is checked.
	text    string
	fset    *token.FileSet
	file    *ast.File
	info    *types.Info
	pkg     *types.Package
	imports map[string]string // path by local name
	pieces  []piece
	live    []*decl
	liveVar []*variable
}

// piece is a part of the checked file.
type piece struct {
	decl       *decl // nil for the statements
	start, end int
	cell, line int
}

// Compose checks a cell and writes the file to compile. The notebook does not
// change until the output is committed.
func (n *Notebook) Compose(in Input) (*Output, error) {
	c := &composition{notebook: n, in: in, next: n.clone(), show: !in.HasMain, hoistUp: map[string]bool{}}
	if err := c.read(); err != nil {
		return nil, err
	}
	c.change()
	for range 4 {
		err := c.check()
		if err == nil {
			return c.emit()
		}
		if !errors.Is(err, errAgain) {
			return nil, err
		}
	}
	return nil, &Error{[]Mistake{{in.Number, 1, 1, "the cell's declarations and statements depend on each other in circles"}}}
}

// errAgain says that the check must be repeated.
var errAgain = errors.New("again")

// read cuts the cell into its parts.
func (c *composition) read() error {
	chunks := split(c.in.Source, c.in.Number)
	if c.in.HasMain {
		c.statements = []chunk{{statement, c.in.Main, c.in.Number, c.in.MainLine}}
	} else {
		for _, k := range chunks {
			if k.kind == statement {
				c.statements = append(c.statements, k)
			}
		}
	}
	plain := len(c.statements) > 0 && !c.in.HasMain
	if plain {
		c.statements = nil
	}
	for _, k := range chunks {
		switch {
		case k.kind == importDecl:
			list, err := importsOf(k)
			if err != nil {
				return syntaxError(err, k, len("package main;"))
			}
			for _, i := range list {
				if err := c.importing(i[0], i[1], k); err != nil {
					return err
				}
			}
		case plain && (k.kind == statement || k.kind == varDecl):
			c.statements = append(c.statements, k)
		default:
			list, err := parseDecls(k)
			if err != nil {
				return syntaxError(err, k, len("package main;"))
			}
			for _, d := range list {
				switch {
				case d.kind == funcDecl && (d.key == "main" || initName.MatchString(d.key)):
					c.oneShot = append(c.oneShot, d)
				case d.kind == varDecl:
					c.freshVars = append(c.freshVars, d)
				default:
					c.fresh = append(c.fresh, d)
				}
			}
		}
	}
	return nil
}

func (c *composition) importing(path, alias string, k chunk) error {
	p, err := c.notebook.packages.Import(path)
	if err != nil {
		return &Error{[]Mistake{{k.cell, k.line, 1, err.Error()}}}
	}
	switch alias {
	case "_":
		c.blank = append(c.blank, path)
	case ".":
		if !slices.Contains(c.next.dots, path) {
			c.next.dots = append(c.next.dots, path)
		}
	case "":
		c.next.imports[p.Name()] = path
	default:
		c.next.imports[alias] = path
	}
	return nil
}

func syntaxError(err error, k chunk, header int) error {
	out := &Error{}
	for _, e := range scannerErrors(err) {
		m := Mistake{Cell: k.cell, Line: k.line + e.Pos.Line - 1, Column: e.Pos.Column, Message: e.Msg}
		if e.Pos.Line == 1 {
			m.Column -= header
		}
		out.List = append(out.List, m)
	}
	return out
}
