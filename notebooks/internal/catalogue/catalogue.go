// Package catalogue has what the code of the tutorials says to readers, in another
// language: labels, printouts and comments. All else in the code is the same in every
// language.
package catalogue

import (
	"encoding/json"
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Catalogue is a language's.
type Catalogue struct {
	// Texts are string literals and comments of the English notebooks, without quotes and
	// slashes, and what stands there in this language.
	Texts map[string]string `json:"texts"`
	// Same are those that are the same in it: names, paths, formulas.
	Same []string `json:"same"`
}

// Read reads a catalogue.
func Read(path string) (*Catalogue, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c := &Catalogue{}
	if err := json.Unmarshal(raw, c); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Translate returns code in the catalogue's language, and what it says that the
// catalogue does not know.
func (c *Catalogue) Translate(code string) (translated string, unknown []string) {
	var out strings.Builder
	end := 0
	for _, s := range Said(code) {
		with, ok := c.Texts[s.Text]
		if !ok {
			if !slices.Contains(c.Same, s.Text) {
				unknown = append(unknown, s.Text)
			}
			continue
		}
		out.WriteString(code[end:s.Start])
		out.WriteString(s.quote(with))
		end = s.End
	}
	return out.String() + code[end:], unknown
}

// Text is a string literal or a comment with words in it.
type Text struct {
	Text       string
	Start, End int // its place in the code
	quote      func(string) string
}

// Said returns the string literals and comments of code that have a letter in them,
// beside the verbs of formats.
func Said(code string) (list []Text) {
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(code))
	var s scanner.Scanner
	s.Init(file, []byte(code), func(token.Position, string) {}, scanner.ScanComments)
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return list
		}
		at := file.Offset(pos)
		t := Text{Start: at, End: at + len(lit)}
		switch {
		case tok == token.COMMENT && strings.HasPrefix(lit, "//"):
			t.Text, t.quote = strings.TrimSpace(lit[2:]), func(s string) string { return "// " + s }
		case tok == token.STRING && lit[0] == '`':
			t.Text, t.quote = strings.Trim(lit, "`"), func(s string) string { return "`" + s + "`" }
		case tok == token.STRING:
			text, err := strconv.Unquote(lit)
			if err != nil {
				continue
			}
			t.Text, t.quote = text, quote
		default:
			continue
		}
		if strings.ContainsFunc(plain(t.Text), unicode.IsLetter) {
			list = append(list, t)
		}
	}
}

// quote quotes a text as a person would, who escapes no letters.
func quote(s string) string {
	q := strconv.Quote(s)
	if back, err := strconv.Unquote(q); err == nil && back == s && !strings.Contains(q, `\u`) {
		return q
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(s) + `"`
}

// verb is a verb of a format.
var verb = regexp.MustCompile(`%[-+# 0-9.*\[\]]*.`)

// plain is a text without the verbs of formats.
func plain(s string) string { return verb.ReplaceAllString(s, "") }

// Verbs are the verbs of a format, in their order.
func Verbs(s string) []string { return verb.FindAllString(s, -1) }
