package cell

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// unit is a text whose parts are compiled: a cell or, once that has been built, one
// of its declarations.
type unit struct {
	text string
	at   token.Position // of its beginning, in the cell that it is from
}

// sources are the texts that a notebook has parsed.
type sources struct {
	fset *token.FileSet
	at   map[*token.File]origin
}

// origin says which text a parsed file is of, and where in the file it begins.
type origin struct {
	*unit
	start int
}

func newSources() *sources {
	return &sources{fset: token.NewFileSet(), at: map[*token.File]origin{}}
}

// parse parses text, which is as long as the unit's, between a header and a footer,
// and says where in the parsed file it begins. The file is returned as far as it could
// be understood, with positions as they are in the cell.
func (s *sources) parse(u *unit, header, text, footer string) (f *ast.File, start int, err error) {
	header += "\n" + lineDirective(u.at)
	base := s.fset.Base()
	f, err = parser.ParseFile(s.fset, "", header+text+footer, parser.SkipObjectResolution|parser.ParseComments)
	if file := s.fset.File(token.Pos(base)); file != nil {
		s.at[file] = origin{u, len(header)}
	}
	return f, len(header), err
}

// place returns the text that a position is in, and its offset there.
func (s *sources) place(pos token.Pos) (*unit, int) {
	file := s.fset.File(pos)
	o, ok := s.at[file]
	if !ok {
		return nil, 0
	}
	return o.unit, file.PositionFor(pos, false).Offset - o.start
}

// slice is the text between two positions.
func (s *sources) slice(from, to token.Pos) string {
	u, a := s.place(from)
	_, b := s.place(to)
	if u == nil {
		return ""
	}
	a, b = max(a, 0), min(b, len(u.text))
	return u.text[min(a, b):b] // none of what is not finished
}

// lineDirective tells the compiler where the next line comes from.
func lineDirective(p token.Position) string {
	if p.Filename == "" { // a directive of the cell's says so; with a column, it would be the file before
		return fmt.Sprintf("//line :%d\n", max(p.Line, 1))
	}
	return fmt.Sprintf("//line %s:%d:%d\n", p.Filename, max(p.Line, 1), max(p.Column, 1))
}

// inlineDirective tells the compiler where what follows it in the same line comes from.
func inlineDirective(p token.Position) string {
	return strings.TrimSuffix(strings.Replace(lineDirective(p), "//line ", "/*line ", 1), "\n") + "*/"
}
