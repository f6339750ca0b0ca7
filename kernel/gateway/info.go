package gateway

import (
	"encoding/json"
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"

	"github.com/gradbook/gradbook/kernel/cell"
)

// kernelInfo tells of the kernel and its language.
func (g *Gateway) kernelInfo(*message) any {
	return map[string]any{
		"status":                 "ok",
		"protocol_version":       protocolVersion,
		"implementation":         "gradbook",
		"implementation_version": g.Version,
		"language_info": map[string]any{
			"name":               "go",
			"version":            g.GoVersion,
			"mimetype":           "text/x-go",
			"file_extension":     ".go",
			"pygments_lexer":     "go",
			"codemirror_mode":    "go", // JupyterLab finds no language by a MIME type here
			"nbconvert_exporter": "script",
		},
		"banner":             "Gradbook " + g.Version + " — Go " + g.GoVersion + ": deep learning in Go, as notebooks",
		"debugger":           false,
		"supported_features": []string{},
		"help_links": []map[string]string{
			{"text": "Go", "url": "https://go.dev/doc/"},
			{"text": "Go's packages", "url": "https://pkg.go.dev/std"},
			{"text": "GoNB", "url": "https://github.com/janpfeifer/gonb"},
			{"text": "GoMLX", "url": "https://pkg.go.dev/github.com/gomlx/gomlx"},
			{"text": "Keras", "url": "https://keras.io/api/"},
		},
	}
}

// isComplete says whether code could be executed as it stands.
func (g *Gateway) isComplete(m *message) any {
	var content struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(m.content, &content)
	status, indent := completeness(content.Code)
	if status == "incomplete" {
		return map[string]any{"status": status, "indent": indent}
	}
	return map[string]any{"status": status}
}

// completeness is "complete", "incomplete" with the next line's indent, or
// "invalid".
func completeness(code string) (status, indent string) {
	lines := strings.Split(code, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "%") || strings.HasPrefix(l, "!") {
			if strings.HasSuffix(l, "\\") && i == len(lines)-1 {
				return "incomplete", ""
			}
			lines[i] = ""
		}
	}
	code = strings.Join(lines, "\n")
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(code))
	var s scanner.Scanner
	open := false
	s.Init(file, []byte(code), func(_ token.Position, msg string) {
		if strings.Contains(msg, "raw string literal not terminated") || strings.Contains(msg, "comment not terminated") {
			open = true
		}
	}, 0)
	depth, last := 0, token.SEMICOLON
	for {
		_, t, lit := s.Scan()
		if t == token.EOF {
			break
		}
		switch t {
		case token.LPAREN, token.LBRACE, token.LBRACK:
			depth++
		case token.RPAREN, token.RBRACE, token.RBRACK:
			depth--
		case token.SEMICOLON:
			if lit == "\n" {
				continue
			}
		}
		last = t
	}
	switch {
	case open:
		return "incomplete", ""
	case depth > 0:
		return "incomplete", strings.Repeat("\t", depth)
	case last.IsOperator() && last != token.SEMICOLON && last != token.RPAREN && last != token.RBRACE && last != token.RBRACK && last != token.INC && last != token.DEC:
		return "incomplete", "\t"
	case depth < 0:
		return "invalid", ""
	}
	// Declarations and statements may stand side by side; each must parse.
	for _, wrap := range []string{"package p;" + code, "package p;func _(){" + code + "\n}"} {
		if _, err := parser.ParseFile(token.NewFileSet(), "", wrap, parser.SkipObjectResolution); err == nil {
			return "complete", ""
		}
	}
	if cell.Parses(code) {
		return "complete", ""
	}
	return "invalid", ""
}

// commInfo lists the open comms, of the session's widgets and of GoNB's.
func (g *Gateway) commInfo(m *message) any {
	var content struct {
		Target string `json:"target_name"`
	}
	_ = json.Unmarshal(m.content, &content) // without one, all are meant
	all := g.gonb.comms()
	if g.Engine != nil {
		for id, target := range g.Engine.Comms() {
			all[id] = map[string]any{"target_name": target}
		}
	}
	for id, c := range all {
		if content.Target != "" && c.(map[string]any)["target_name"] != content.Target {
			delete(all, id)
		}
	}
	return map[string]any{"status": "ok", "comms": all}
}
