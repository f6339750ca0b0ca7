package cell

import (
	"go/scanner"
	"go/token"
	"strings"
)

// Status says whether Go source is a whole cell: "complete", "incomplete" with the
// indent of its next line, or "invalid". A console asks it at the end of each line.
func Status(text string) (status, indent string) {
	fset := token.NewFileSet()
	var s scanner.Scanner
	s.Init(fset.AddFile("", fset.Base(), len(text)), []byte(text), nil, scanner.ScanComments)
	open := false
	depth, last := 0, token.SEMICOLON
	for {
		_, tok, lit := s.Scan()
		if tok == token.EOF {
			break
		}
		switch tok {
		case token.COMMENT:
			open = strings.HasPrefix(lit, "/*") && (len(lit) < len("/**/") || !strings.HasSuffix(lit, "*/"))
			continue
		case token.STRING:
			open = lit[0] == '`' && (len(lit) < 2 || !strings.HasSuffix(lit, "`"))
		case token.LPAREN, token.LBRACE, token.LBRACK:
			depth++
		case token.RPAREN, token.RBRACE, token.RBRACK:
			depth--
		case token.SEMICOLON:
			if lit == "\n" {
				continue
			}
		}
		last = tok
	}
	switch {
	case open:
		return "incomplete", ""
	case depth > 0:
		return "incomplete", strings.Repeat("\t", depth)
	case goesOn(last):
		return "incomplete", "\t"
	}
	if _, err := Parse(Cell{Text: text}); err != nil {
		return "invalid", ""
	}
	return "complete", ""
}

// goesOn says whether a statement cannot end with this token.
func goesOn(t token.Token) bool {
	switch t {
	case token.SEMICOLON, token.RPAREN, token.RBRACE, token.RBRACK, token.INC, token.DEC:
		return false
	}
	return t.IsOperator()
}
