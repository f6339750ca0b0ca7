package language

import (
	"go/scanner"
	"go/token"
	"strings"

	"github.com/gradbook/gradbook/kernel/dialect"
)

// inString completes the name of a file in a string, of one that is there.
func inString(code string, offset int) (matches []Match, start int, ok bool) {
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), offset)
	var s scanner.Scanner
	s.Init(file, []byte(code[:offset]), nil, 0)
	open := -1 // where a string begins that has no end before the offset
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			break
		}
		if tok == token.SEMICOLON && lit == "\n" { // put in by the scanner
			continue
		}
		open = -1
		ends := len(lit) > 1 && lit[len(lit)-1] == lit[0] && !strings.HasSuffix(lit, `\"`)
		if tok == token.STRING && file.Offset(pos)+len(lit) >= offset && !ends {
			open = file.Offset(pos)
		}
	}
	if open < 0 {
		return nil, 0, false
	}
	start = open + 1
	if strings.ContainsAny(code[start:offset], "\n\\") {
		return nil, 0, false
	}
	for _, name := range dialect.Files(code[start:offset]) {
		matches = append(matches, Match{Text: name, Kind: "path"})
	}
	return matches, start, len(matches) > 0
}
