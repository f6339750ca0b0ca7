package gateway

import (
	"regexp"
	"strings"

	"github.com/gradbook/gradbook/kernel/cell"
)

// parsed is a cell with its commands apart from its Go.
type parsed struct {
	commands []string // in order, without the leading comment prefix
	input    cell.Input
	args     []string
	timed    bool
}

func (p parsed) hasGo() bool {
	return p.input.HasMain || p.input.Call != "" || strings.TrimSpace(p.input.Source) != ""
}

// trimComment removes the prefix by which a command may be hidden from Go tools.
func trimComment(line string) string {
	for _, prefix := range []string{"//gonb:", "// gonb:"} {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			return rest
		}
	}
	return line
}

func isCommand(line string) bool {
	return strings.HasPrefix(line, "%") || strings.HasPrefix(line, "!")
}

// parseCell takes a cell apart. Lines that are not Go become blank, so that
// lines keep their numbers.
func parseCell(code string) parsed {
	var p parsed
	lines := strings.Split(code, "\n")
	main := -1
	for i := 0; i < len(lines); i++ {
		line := trimComment(lines[i])
		if !isCommand(line) {
			if strings.HasPrefix(line, "package ") {
				lines[i] = ""
			}
			continue
		}
		first := i
		for strings.HasSuffix(line, "\\") && i+1 < len(lines) {
			i++
			line = strings.TrimSuffix(line, "\\") + " " + trimComment(lines[i])
		}
		for j := first; j <= i; j++ {
			lines[j] = ""
		}
		word, rest, _ := strings.Cut(strings.TrimPrefix(line, "%"), " ")
		switch {
		case strings.HasPrefix(line, "!"):
			p.commands = append(p.commands, line)
		case word == "%" || word == "main":
			main, p.args = i, splitWords(rest)
		case word == "args":
			p.args = splitWords(rest)
		case word == "exec":
			words := splitWords(rest)
			if len(words) > 0 {
				p.input.Call, p.args = words[0], words[1:]
			}
		case word == "%time":
			p.timed = true
		case word == "time":
			p.timed = true
			lines[i] = rest
		default:
			p.commands = append(p.commands, line)
		}
	}
	if main < 0 {
		p.input.Source = strings.Join(lines, "\n")
		return p
	}
	p.input.Source = strings.Join(lines[:main], "\n")
	p.input.HasMain = true
	p.input.Main, p.input.MainLine = strings.Join(lines[main+1:], "\n"), main+2
	return p
}

// splitWords cuts a command's arguments at blanks, but not within quotes.
func splitWords(s string) []string {
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
			switch s[i] {
			case 'n':
				word.WriteByte('\n')
			case 't':
				word.WriteByte('\t')
			default:
				word.WriteByte(s[i])
			}
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

// What GoNB does that a session cannot: whole cells for other interpreters,
// tests, WebAssembly, and programs that talk with the page by GoNB's own means.
// GoNB's widgets are made by functions, ours are structs.
var foreign = regexp.MustCompile(`(?m)^(//\s?gonb:)?%(test|wasm|widgets|widgets_hb)\b|\bgonb/gonbui/(widgets|comms|dom|wasm)"|(^|[=( \t])(widgets\.(Button|Slider|Select)\(|(comms|dom)\.[A-Z])`)

// isForeign says whether a cell is run by GoNB as a whole.
func isForeign(code string) bool {
	first, _, _ := strings.Cut(strings.TrimLeft(code, "\n"), "\n")
	first = trimComment(first)
	if rest, ok := strings.CutPrefix(first, "%%"); ok && rest != "" && rest[0] != ' ' && rest[0] != '\t' && !strings.HasPrefix(rest, "time") {
		return true
	}
	return foreign.MatchString(code)
}
