package gateway

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/gradbook/gradbook/kernel/dialect"
	"github.com/gradbook/gradbook/kernel/language"
)

// Language answers questions about code at an offset in bytes.
type Language interface {
	// Complete returns candidates for what begins at start.
	Complete(code string, offset int) (matches []language.Match, start, end int)
	// Inspect returns the documentation of what is there, as Markdown; "" if
	// there is none.
	Inspect(code string, offset int) string
	// Warm prepares for the first question.
	Warm()
}

type position struct {
	Code string `json:"code"`
	Pos  *int   `json:"cursor_pos"`
}

// read reads a request and returns the cursor as an offset in bytes of the code with Go's
// line ends. Jupyter counts code points, but clients in JavaScript may count UTF-16
// units; within the basic plane both are the same.
func (p *position) read(m *message) (code string, offset int) {
	_ = json.Unmarshal(m.content, p)
	n := len([]rune(p.Code))
	if p.Pos != nil {
		n = *p.Pos
	}
	offset = len(p.Code)
	for i := range p.Code {
		if n <= 0 {
			offset = i
			break
		}
		n--
	}
	return dialect.Normalize(p.Code), len(dialect.Normalize(p.Code[:offset]))
}

// units is the number of code points before an offset in the normalized code, as the
// client has them.
func (p *position) units(offset int) int {
	normalized := 0
	units := 0
	for i, r := range p.Code {
		if normalized >= offset {
			break
		}
		units++
		if r == '\uFEFF' && i == 0 || r == '\r' && strings.HasPrefix(p.Code[i:], "\r\n") {
			continue
		}
		normalized += utf8.RuneLen(r)
	}
	return units
}

func (g *Gateway) complete(m *message) any {
	var p position
	code, offset := p.read(m)
	matches, kinds := []string{}, []any{}
	start, end := offset, offset
	if g.language() != nil {
		var list []language.Match
		list, start, end = g.language().Complete(code, offset)
		for _, c := range list {
			matches = append(matches, c.Text)
			kinds = append(kinds, map[string]any{"start": p.units(start), "end": p.units(end), "text": c.Text, "type": c.Kind, "signature": c.Signature})
		}
	}
	return map[string]any{
		"status": "ok", "matches": matches, "cursor_start": p.units(start), "cursor_end": p.units(end),
		"metadata": map[string]any{"_jupyter_types_experimental": kinds},
	}
}

func (g *Gateway) inspect(m *message) any {
	var p position
	code, offset := p.read(m)
	data := map[string]any{}
	if g.language() != nil {
		if doc := g.language().Inspect(code, offset); doc != "" {
			data["text/markdown"], data["text/plain"] = doc, plainText(doc)
		}
	}
	return map[string]any{"status": "ok", "found": len(data) > 0, "data": data, "metadata": map[string]any{}}
}

// plainText is Markdown for who cannot show it.
func plainText(markdown string) string {
	var lines []string
	for l := range strings.Lines(markdown) {
		if !strings.HasPrefix(l, "```") {
			lines = append(lines, strings.TrimRight(l, "\n"))
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
