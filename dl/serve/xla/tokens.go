package xla

import (
	"fmt"
	"strings"
)

// tokenizer has bytes as tokens, or a list of texts of which the longest that fits is taken.
type tokenizer struct {
	texts   []string       // nil for bytes
	numbers map[string]int // of texts
	longest int
}

// newTokenizer reads a file of tokens: "bytes", or a line for each, with Go's escapes.
func newTokenizer(text string) (*tokenizer, error) {
	t := &tokenizer{}
	if strings.TrimSpace(text) == "bytes" {
		return t, nil
	}
	t.numbers = make(map[string]int)
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		line = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r", `\\`, `\`).Replace(strings.TrimSuffix(line, "\r"))
		if _, twice := t.numbers[line]; twice || line == "" {
			return nil, fmt.Errorf("line %d of the tokens: expected a text that is not there before, got %q", i+1, line)
		}
		t.numbers[line] = i
		t.texts, t.longest = append(t.texts, line), max(t.longest, len(line))
	}
	return t, nil
}

// Tokens implements serve.Tokenizer. A letter that no token has is −1, which is refused.
func (t *tokenizer) Tokens(text string) []int {
	var all []int
	if t.texts == nil {
		for i := range len(text) {
			all = append(all, int(text[i]))
		}
		return all
	}
	for len(text) > 0 {
		n := min(t.longest, len(text))
		for n > 0 {
			if i, ok := t.numbers[text[:n]]; ok {
				all = append(all, i)
				break
			}
			n--
		}
		if n == 0 {
			all = append(all, -1)
			n = 1
		}
		text = text[n:]
	}
	return all
}

// Text implements serve.Tokenizer.
func (t *tokenizer) Text(tokens []int) string {
	var b strings.Builder
	for _, i := range tokens {
		if t.texts == nil {
			b.WriteByte(byte(i))
		} else if i < len(t.texts) {
			b.WriteString(t.texts[i])
		}
	}
	return b.String()
}
