package gateway

import (
	"encoding/json"
	"strings"
)

// Language answers questions about code at an offset in bytes.
type Language interface {
	// Complete returns candidates for what begins at start.
	Complete(code string, offset int) (matches []Match, start, end int)
	// Inspect returns the documentation of what is there, as Markdown; "" if
	// there is none.
	Inspect(code string, offset int) string
	// Warm prepares for the first question.
	Warm()
}

// Match is a candidate of a completion.
type Match struct{ Text, Kind, Signature string }

type position struct {
	Code string `json:"code"`
	Pos  *int   `json:"cursor_pos"`
}

// read reads a request and returns the cursor as an offset in bytes. Jupyter
// counts code points, but clients in JavaScript may count UTF-16 units; within
// the basic plane both are the same.
func (p *position) read(m *message) int {
	_ = json.Unmarshal(m.content, p)
	n := len([]rune(p.Code))
	if p.Pos != nil {
		n = *p.Pos
	}
	for i := range p.Code {
		if n <= 0 {
			return i
		}
		n--
	}
	return len(p.Code)
}

// units is the number of code points before an offset.
func units(code string, offset int) int { return len([]rune(code[:min(offset, len(code))])) }

func (g *Gateway) complete(m *message) any {
	var p position
	offset := p.read(m)
	matches, kinds := []string{}, []any{}
	start, end := offset, offset
	if g.Language != nil {
		var list []Match
		list, start, end = g.Language.Complete(p.Code, offset)
		for _, c := range list {
			matches = append(matches, c.Text)
			kinds = append(kinds, map[string]any{"start": units(p.Code, start), "end": units(p.Code, end), "text": c.Text, "type": c.Kind, "signature": c.Signature})
		}
	}
	return map[string]any{
		"status": "ok", "matches": matches, "cursor_start": units(p.Code, start), "cursor_end": units(p.Code, end),
		"metadata": map[string]any{"_jupyter_types_experimental": kinds},
	}
}

func (g *Gateway) inspect(m *message) any {
	var p position
	offset := p.read(m)
	data := map[string]any{}
	if g.Language != nil {
		if doc := g.Language.Inspect(p.Code, offset); doc != "" {
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
