// Package dialect cuts the text of a cell into Go and commands: lines that begin with %
// or !, and whole cells for other interpreters.
//
// What is a command is decided by Go's own scanner. A line of a raw string or of a
// comment is none, nor is one that goes on with an expression or stands within braces.
package dialect

import (
	"go/scanner"
	"go/token"
	"regexp"
	"strings"

	"github.com/gradbook/gradbook/kernel/cell"
)

// Kind is what a segment holds.
type Kind int

const (
	// Go is Go source.
	Go Kind = iota
	// Line is a command of one line, with those that a backslash at their ends adds.
	Line
	// Whole is a command that takes all that follows it, such as %%bash.
	Whole
	// Help is a name with a question mark before or behind it.
	Help
)

// Segment is a part of a cell's text.
type Segment struct {
	Kind Kind
	// Start and End are offsets in the text, Line is the number of the first line, from 1.
	Start, End, Line int
	// Name is a command's, with its signs: "%who", "!", "%%bash".
	Name string
	// Args is what follows the name, in one line.
	Args string
	// Body is what a Whole command takes.
	Body string
}

// Text is a cell that has been cut.
type Text struct {
	// Source is the cell's text with Go's line ends, and without a byte order mark.
	Source   string
	Segments []Segment
}

// Normalize returns a text with the line ends of Go, and without a byte order mark:
// front ends on Windows send both. A carriage return at the end is half of one.
func Normalize(text string) string {
	return strings.TrimSuffix(strings.ReplaceAll(strings.TrimPrefix(text, "\uFEFF"), "\r\n", "\n"), "\r")
}

// Parse cuts a cell.
func Parse(text string) Text {
	p := parser{text: Normalize(text)}
	if name, ok := question(p.text); ok {
		return Text{p.text, []Segment{{Kind: Help, End: len(p.text), Line: 1, Args: name}}}
	}
	for p.at < len(p.text) {
		p.source()
		if p.at < len(p.text) {
			p.command()
		}
	}
	return Text{p.text, p.segments}
}

// name is one with a question mark before it, or one or two behind, as in IPython.
var name = regexp.MustCompile(`^(?:\?\??\s*([\pL_][\pL\d_.]*)|([\pL_][\pL\d_.]*)\s*\?\??)$`)

func question(text string) (string, bool) {
	m := name.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return "", false
	}
	return m[1] + m[2], true
}

type parser struct {
	text     string
	at       int
	segments []Segment
}

func (p *parser) add(s Segment) {
	s.Line = strings.Count(p.text[:s.Start], "\n") + 1
	p.segments = append(p.segments, s)
}

// source takes Go, up to the next command.
func (p *parser) source() {
	rest := p.text[p.at:]
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(rest))
	var s scanner.Scanner
	s.Init(file, []byte(rest), nil, scanner.ScanComments)
	depth, fresh := 0, true // fresh: a statement may begin here
	for {
		pos, tok, _ := s.Scan()
		offset := file.Offset(pos)
		if tok == token.EOF {
			offset = len(rest)
		}
		if tok == token.EOF || fresh && depth == 0 && begins(rest, offset) {
			if strings.TrimSpace(rest[:offset]) != "" {
				p.add(Segment{Kind: Go, Start: p.at, End: p.at + offset})
			}
			p.at += offset
			return
		}
		switch tok {
		case token.COMMENT:
			continue
		case token.LPAREN, token.LBRACE, token.LBRACK:
			depth++
		case token.RPAREN, token.RBRACE, token.RBRACK:
			depth = max(depth-1, 0)
		}
		fresh = tok == token.SEMICOLON
	}
}

// begins says whether a command begins at an offset: it is the first on its line, which
// may be indented.
func begins(text string, offset int) bool {
	before := strings.TrimRight(text[:offset], " \t")
	if before != "" && !strings.HasSuffix(before, "\n") {
		return false
	}
	line, _, _ := strings.Cut(text[offset:], "\n")
	line = bare(line)
	return strings.HasPrefix(line, "%") || strings.HasPrefix(line, "!")
}

// bare removes the prefix by which a command may be hidden from Go's tools.
func bare(line string) string {
	for _, prefix := range []string{"//gonb:", "// gonb:"} {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			return rest
		}
	}
	return line
}

// command takes a command.
func (p *parser) command() {
	s := Segment{Kind: Line, Start: p.at}
	line := p.line()
	for strings.HasSuffix(line, "\\") && p.at < len(p.text) {
		line = strings.TrimSuffix(line, "\\") + " " + p.line()
	}
	line = strings.TrimRight(strings.TrimSuffix(line, "\\"), " \t\r")
	switch {
	case strings.HasPrefix(line, "!*"):
		s.Name, s.Args = "!*", strings.TrimSpace(line[2:])
	case strings.HasPrefix(line, "!"):
		s.Name, s.Args = "!", strings.TrimSpace(line[1:])
	default:
		s.Name, s.Args = cutWord(line)
	}
	s.End = p.at
	if takesAll(s.Name) {
		s.Kind, s.Body, s.End = Whole, p.text[p.at:], len(p.text)
		p.at = len(p.text)
	} else if (s.Name == "%time" || s.Name == "%timeit") && s.Args != "" { // its statement may have more lines
		start := strings.Index(p.text[s.Start:p.at], s.Args)
		if start < 0 {
			start = p.at - s.Start
		}
		p.at = s.Start + start
		s.End = p.at
		s.Args = ""
	}
	p.add(s)
}

// line takes a line, and returns it without its end.
func (p *parser) line() string {
	line, _, more := strings.Cut(p.text[p.at:], "\n")
	if p.at += len(line); more {
		p.at++
	}
	return bare(line)
}

func cutWord(line string) (word, rest string) {
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		return line[:i], strings.TrimSpace(line[i:])
	}
	return line, ""
}

// takesAll says whether a command takes the rest of the cell. One that nobody knows is
// taken for an interpreter that is not there: what follows it is no Go.
func takesAll(name string) bool {
	c, known := Lookup(name)
	return c.Whole || !known && strings.HasPrefix(name, "%%")
}

// Cell is the Go of a cell, with blanks in the place of the commands.
func (t Text) Cell(number int) cell.Cell {
	c := cell.Cell{Number: number}
	out := []byte(t.Source)
	for _, s := range t.Segments {
		if s.Kind == Go {
			continue
		}
		for i := s.Start; i < s.End; i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
		switch {
		case s.Kind == Line && (s.Name == "%%" || s.Name == "%main"):
			c.HasMain, c.Main = true, s.End
		case s.Kind == Line && s.Name == "%exec":
			if words := Words(s.Args); len(words) > 0 {
				c.Call = words[0]
			}
		}
	}
	c.Text = string(out)
	return c
}

// Benchmarked is a cell whose statement behind %timeit runs again and again, in Go's own harness,
// which says how long it takes.
func (t Text) Benchmarked(c cell.Cell) cell.Cell {
	for _, s := range t.Segments {
		if s.Kind != Line || s.Name != "%timeit" {
			continue
		}
		end := s.End + statement(c.Text[s.End:])
		c.Text = c.Text[:s.End] + "fmt.Println(testing.Benchmark(func(bench_ *testing.B) { for bench_.Loop() { " +
			c.Text[s.End:end] + " } }))" + c.Text[end:]
		break
	}
	return c
}

// statement is where the first statement of a text ends.
func statement(text string) int {
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(text))
	var s scanner.Scanner
	s.Init(file, []byte(text), nil, 0)
	for depth := 0; ; {
		pos, tok, _ := s.Scan()
		switch tok {
		case token.EOF:
			return len(text)
		case token.LPAREN, token.LBRACE, token.LBRACK:
			depth++
		case token.RPAREN, token.RBRACE, token.RBRACK:
			depth--
		case token.SEMICOLON:
			if depth <= 0 {
				return file.Offset(pos)
			}
		}
	}
}

// HasGo says whether there is anything for Go to do.
func (t Text) HasGo() bool {
	for _, s := range t.Segments {
		if s.Kind == Go || s.Kind == Line && (s.Name == "%%" || s.Name == "%main" || s.Name == "%exec") {
			return true
		}
	}
	return false
}

// Blank is the text with blanks in the place of the commands, for who reads Go: as long
// as the text.
func (t Text) Blank() string { return t.Cell(0).Text }

// CommandAt is the line of a command up to an offset in it, if there is one there.
func (t Text) CommandAt(offset int) (line string, ok bool) {
	for _, s := range t.Segments {
		if s.Kind == Go || s.Kind == Help || offset < s.Start || offset > s.End {
			continue
		}
		line := bare(t.Source[s.Start:offset])
		if strings.Contains(strings.ReplaceAll(line, "\\\n", " "), "\n") {
			return "", false // behind the command, or in what it takes
		}
		return line, true
	}
	return "", false
}

// Status says whether a text is a whole cell: "complete", "incomplete" with the indent
// of its next line, or "invalid".
func Status(text string) (status, indent string) {
	t := Parse(text)
	for _, s := range t.Segments {
		if s.Kind == Line && s.End == len(t.Source) && strings.HasSuffix(strings.TrimRight(t.Source, "\n"), "\\") {
			return "incomplete", ""
		}
	}
	return cell.Status(t.Blank())
}

// Words cuts a command's arguments at blanks, but not within quotes.
func Words(s string) []string {
	var words []string
	var word strings.Builder
	started, quoted := false, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"':
			quoted, started = !quoted, true
		case !quoted && (c == ' ' || c == '\t'):
			if started {
				words = append(words, word.String())
			}
			word.Reset()
			started = false
		case quoted && c == '\\' && i+1 < len(s):
			i++
			word.WriteByte(escaped(s[i]))
		default:
			word.WriteByte(c)
			started = true
		}
	}
	if started {
		words = append(words, word.String())
	}
	return words
}

func escaped(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	}
	return c
}
