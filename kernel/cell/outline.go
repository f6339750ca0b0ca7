package cell

import (
	"go/scanner"
	"go/token"
)

// part says what a region of a cell's text holds.
type part int

const (
	bodyPart    part = iota // statements, and declarations that may be among them
	packagePart             // a package clause
	importPart
	funcPart // a function or a method
)

// region is a part of a cell's text, with the comments before it.
type region struct {
	part       part
	start, end int
}

// outline finds what Go has only at the outermost level of a file: imports,
// functions and methods. All else may stand in the body of a function, so that it
// can be parsed as one. It reports what cannot be told apart: literals and comments
// without an end, and braces that close nothing.
func outline(text string, report func(offset int, message string)) []region {
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(text))
	file.SetLinesForContent([]byte(text))
	var s scanner.Scanner
	s.Init(file, []byte(text), func(p token.Position, message string) { report(p.Offset, message) }, scanner.ScanComments)

	o := outliner{text: text, report: report}
	for {
		pos, tok, lit := s.Scan()
		t := lexeme{tok, file.Offset(pos), lit}
		if o.next(t); tok == token.EOF {
			return o.regions
		}
	}
}

// lexeme is a token with its place.
type lexeme struct {
	tok    token.Token
	offset int
	lit    string
}

// enough tokens tell what a statement is: a receiver has fewer.
const enough = 64

type outliner struct {
	text    string
	report  func(offset int, message string)
	regions []region

	start     int      // of the region under way
	depth     int      // of open parentheses, brackets and braces
	statement []lexeme // its first tokens, without comments
	last      int      // the end of the last token
	comment   int      // and of the last comment
}

func (o *outliner) next(t lexeme) {
	switch t.tok {
	case token.COMMENT:
		if o.depth == 0 && len(o.statement) == 0 && o.sameLine(t.offset) {
			o.extend(t.offset + len(t.lit)) // it belongs to what is before it
		}
		o.comment = t.offset + len(t.lit)
		return
	case token.EOF:
		if len(o.statement) > 0 {
			o.flush(len(o.text))
		}
		return
	case token.LPAREN, token.LBRACE, token.LBRACK:
		o.depth++
	case token.RPAREN, token.RBRACE, token.RBRACK:
		if o.depth--; o.depth < 0 {
			o.report(t.offset, "unexpected "+t.tok.String()+": it closes nothing")
			o.depth = 0
		}
	case token.SEMICOLON:
		if o.depth == 0 {
			if len(o.statement) > 0 {
				end := max(t.offset, o.comment) // the end of the line may be in a comment
				if t.lit == ";" {
					end = t.offset + 1
				}
				o.flush(min(end, len(o.text)))
			}
			return
		}
	}
	if len(o.statement) < enough {
		o.statement = append(o.statement, t)
	}
	if o.last = t.offset + len(t.lit); t.lit == "" {
		o.last = t.offset + len(t.tok.String())
	}
}

// sameLine says whether there is no line end between the last token and an offset.
func (o *outliner) sameLine(offset int) bool {
	for i := o.last; i < offset; i++ {
		if o.text[i] == '\n' {
			return false
		}
	}
	return len(o.regions) > 0
}

func (o *outliner) extend(end int) {
	r := &o.regions[len(o.regions)-1]
	if r.end < end {
		r.end, o.start = end, end
	}
}

func (o *outliner) flush(end int) {
	p := partOf(o.statement)
	if n := len(o.regions); n > 0 && p == bodyPart && o.regions[n-1].part == bodyPart {
		o.regions[n-1].end = end
	} else {
		o.regions = append(o.regions, region{p, o.start, end})
	}
	o.start, o.statement = end, nil
}

// partOf tells what begins with these tokens.
func partOf(t []lexeme) part {
	switch t[0].tok {
	case token.PACKAGE:
		return packagePart
	case token.IMPORT:
		return importPart
	case token.FUNC:
		if len(t) > 1 && t[1].tok == token.IDENT {
			return funcPart
		}
		// func (r T) name( is a method; func (a int) T { is a literal.
		depth := 0
		for i := 1; i < len(t); i++ {
			switch t[i].tok {
			case token.LPAREN, token.LBRACK, token.LBRACE:
				depth++
			case token.RPAREN, token.RBRACK, token.RBRACE:
				if depth--; depth == 0 {
					if i+2 < len(t) && t[i+1].tok == token.IDENT && t[i+2].tok == token.LPAREN {
						return funcPart
					}
					return bodyPart
				}
			}
		}
	}
	return bodyPart
}

// only returns text with blanks in the place of all but the regions of one part, so
// that offsets and lines stay.
func only(text string, regions []region, want part) string {
	out := []byte(text)
	blank := func(from, to int) {
		for i := from; i < to; i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
	}
	at := 0
	for _, r := range regions {
		if r.part == want {
			blank(at, r.start)
			at = r.end
		}
	}
	blank(at, len(out))
	return string(out)
}
