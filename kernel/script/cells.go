package script

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// Notebook makes a notebook's file of a program, with a cell for each // %% in it: that
// of Program, or any. What main does and what stands beside it below the same mark are one
// cell. A text that is no whole program, as Jupytext writes it, is cut at its marks.
func Notebook(source []byte) ([]byte, error) {
	source = bytes.ReplaceAll(bytes.TrimPrefix(source, []byte("\uFEFF")), []byte("\r\n"), []byte("\n"))
	var cells []piece
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", source, parser.ParseComments|parser.SkipObjectResolution)
	switch main := mainFunc(f); {
	case err == nil && main != nil:
		cells = ofProgram(fset, f, main, source)
	case !slices.ContainsFunc(strings.Split(string(source), "\n"), func(line string) bool { _, ok := marked(line); return ok }):
		if err == nil {
			return nil, fmt.Errorf("expected a program, or cells below // %%%% marks; the file has no main function and no marks")
		}
		return nil, fmt.Errorf("expected a program, or cells below // %%%% marks; the file has no marks, and is no program: %w", err)
	default:
		cells = split(strings.Split(withoutHeader(string(source)), "\n"))
	}
	return write(cells)
}

func mainFunc(f *ast.File) *ast.FuncDecl {
	if f == nil {
		return nil
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == "main" && fn.Recv == nil && fn.Body != nil {
			return fn
		}
	}
	return nil
}

// piece is a cell, or a part of one.
type piece struct {
	mark string
	text []string
}

// marked is what stands behind // %% in a line.
func marked(line string) (mark string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(line), "// %%")
	if !ok || strings.HasPrefix(rest, "%") {
		return "", false
	}
	return strings.TrimSpace(rest), true
}

// split cuts lines at their marks.
func split(all []string) []piece {
	pieces := []piece{{}}
	for _, line := range all {
		if mark, ok := marked(line); ok {
			pieces = append(pieces, piece{mark: mark})
			continue
		}
		last := &pieces[len(pieces)-1]
		last.text = append(last.text, line)
	}
	return pieces
}

// ofProgram cuts what main does, and what stands beside it.
func ofProgram(fset *token.FileSet, f *ast.File, main *ast.FuncDecl, source []byte) []piece {
	line := func(p token.Pos) int { return fset.Position(p).Line - 1 }
	all := strings.Split(string(source), "\n")
	first, last := line(main.Pos()), line(main.End())
	if main.Doc != nil {
		first = line(main.Doc.Pos())
	}
	begin, end := line(main.Body.Lbrace), line(main.Body.Rbrace)
	var inner []string
	if begin == end {
		inner = []string{strings.TrimSpace(string(source[fset.Position(main.Body.Lbrace).Offset+1 : fset.Position(main.Body.Rbrace).Offset]))}
	} else {
		inner = dedented(all[begin+1:end], begin+1, rawLines(source))
	}
	beside := append(slices.Clone(all[line(f.Name.End())+1:first]), "")
	beside = append(beside, all[last+1:]...)
	if f.Doc != nil || line(f.Package) > 0 { // what is said of the whole
		beside = append(comment(all[:line(f.Package)]), beside...)
	}
	return joined(split(beside), split(inner))
}

// comment are the lines before a package clause as a cell of text, but for what Program says
// of itself.
func comment(lines []string) []string {
	out := []string{"// %% [markdown]"}
	for _, l := range lines {
		if !strings.Contains(l, `by "gradbook script"`) {
			out = append(out, l)
		}
	}
	return append(out, "// %%")
}

// rawLines are the lines that begin within a raw string or a comment: none of their blanks
// is an indentation.
func rawLines(source []byte) map[int]bool {
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(source))
	s.Init(file, source, nil, scanner.ScanComments)
	inside := map[int]bool{}
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return inside
		}
		if tok == token.STRING && lit[0] == '`' {
			n := file.Line(pos) - 1
			for i := range strings.Count(lit, "\n") {
				inside[n+i+1] = true
			}
		}
	}
}

func dedented(lines []string, first int, raw map[int]bool) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		if out[i] = l; !raw[first+i] {
			out[i] = strings.TrimPrefix(l, "\t")
		}
	}
	return out
}

// joined has what main does in its order, each cell behind what stands beside main below
// the same mark; what has no counterpart goes before, cells with a number in their place.
func joined(beside, inner []piece) (all []piece) {
	used := make([]bool, len(beside))
	take := func(fits func(piece) bool) (text []string) {
		for i, p := range beside {
			if !used[i] && fits(p) {
				used[i] = true
				text = append(text, p.text...)
			}
		}
		return text
	}
	var cells []piece
	for _, p := range inner {
		if n, ok := number(p.mark); ok {
			for i, b := range beside {
				if m, isCell := number(b.mark); isCell && m < n && !used[i] && !slices.ContainsFunc(inner, func(q piece) bool { return q.mark == b.mark }) {
					used[i] = true
					cells = append(cells, b)
				}
			}
			if own := take(func(b piece) bool { return b.mark == p.mark }); len(own) > 0 {
				p.text = append(append(own, ""), p.text...)
			}
		}
		cells = append(cells, p)
	}
	for i, b := range beside {
		if _, isCell := number(b.mark); !used[i] && !isCell {
			all = append(all, b)
		}
	}
	all = append(all, cells...)
	for i, b := range beside {
		if _, isCell := number(b.mark); !used[i] && isCell {
			all = append(all, b)
		}
	}
	return all
}

func number(mark string) (int, bool) {
	text, ok := strings.CutPrefix(mark, "cell ")
	n, err := strconv.Atoi(text)
	return n, ok && err == nil
}

// withoutHeader is a text without Jupytext's header.
func withoutHeader(text string) string {
	rest, ok := strings.CutPrefix(text, "// ---\n")
	if !ok {
		return text
	}
	if _, after, ok := strings.Cut(rest, "\n// ---\n"); ok {
		return after
	}
	return text
}

// write writes cells as a notebook's file.
func write(pieces []piece) ([]byte, error) {
	nb := notebook{Cells: []nbCell{}, Major: 4, Minor: 5, Meta: map[string]any{
		"kernelspec":    map[string]any{"name": "gradbook", "display_name": "Go (Gradbook)", "language": "go"},
		"language_info": map[string]any{"name": "go", "file_extension": ".go", "mimetype": "text/x-go"},
	}}
	for _, p := range pieces {
		c := nbCell{Type: "code", ID: fmt.Sprintf("cell-%d", len(nb.Cells)+1), Meta: map[string]any{}}
		for _, kind := range []string{"markdown", "raw"} {
			if strings.Contains(p.mark, "["+kind+"]") {
				c.Type = kind
			}
		}
		for i, line := range p.text {
			if c.Type != "code" {
				line = strings.TrimPrefix(strings.TrimPrefix(strings.TrimLeft(line, "\t"), "//"), " ")
			} else if command, ok := strings.CutPrefix(strings.TrimSpace(line), "// "+only); ok {
				line = command
			}
			p.text[i] = line
		}
		text := strings.Trim(strings.Join(p.text, "\n"), "\n")
		if strings.TrimSpace(text) == "" {
			continue
		}
		c.Source = lines(text)
		if c.Type == "code" {
			c.Outputs = &[]any{}
		}
		nb.Cells = append(nb.Cells, c)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(nb)
	return b.Bytes(), err
}
