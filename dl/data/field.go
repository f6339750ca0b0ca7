package data

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field is a column whose values come one after the other.
type field struct {
	config CSVConfig
	name   string
	at     int // among the fields of a line
	label  bool
	kind   Kind
	found  int            // the line that said what it is; 0 if nothing did yet
	fixed  bool           // its categories are those of a schema
	codes  map[string]int // of words, as they came
	words  []string
	gaps   []int // rows whose value is not there
	whole  bool  // all values are whole numbers that int32 holds
	shown  string
}

func (c CSVConfig) column(name string, at int, label bool) *field {
	return &field{config: c, name: name, at: at, label: label, kind: c.Kinds[name], codes: make(map[string]int), whole: true}
}

// known is a column that a schema describes.
func (c CSVConfig) known(s Column, at int) *field {
	out := &field{config: c, name: s.Name, at: at, kind: s.Kind, fixed: s.Kind == Category, codes: make(map[string]int), whole: true}
	for i, w := range s.Categories {
		out.codes[w] = i
	}
	out.words = s.Categories
	return out
}

// read is the number that a field of a row stands for, or what stands for one that is missing.
func (c *field) read(text string, line, row int) (float32, error) {
	if n := len(text); n > 0 && (text[0] <= ' ' || text[n-1] <= ' ' || text[n-1] >= 0x80 || text[0] >= 0x80) {
		text = strings.TrimSpace(text)
	}
	if c.kind == Number { // the way of nearly all
		if v, ok := c.plain(text); ok {
			return v, nil
		}
	}
	if c.kind == Category { // a word that was there before is neither missing nor a number
		if code, ok := c.codes[text]; ok {
			return float32(code), nil
		}
	}
	if text == "" || slices.Contains(c.config.MissingWords, text) {
		if c.config.Missing == nil {
			what := "none"
			if text != "" {
				what = strconv.Quote(text)
			}
			return 0, fmt.Errorf("data: line %d: expected a value in column %q, got %s (see CSVConfig.Missing)", line, c.name, what)
		}
		c.gaps, c.whole = append(c.gaps, row), false
		return *c.config.Missing, nil
	}
	v, err := c.value(text, line)
	if err != nil {
		return 0, fmt.Errorf("data: line %d: %w", line, err)
	}
	return v, nil
}

// value is the number that a field stands for.
func (c *field) value(text string, line int) (float32, error) {
	if c.kind == Auto {
		c.kind = Category
		if _, err := c.number(text); err == nil || errors.Is(err, strconv.ErrRange) {
			c.kind = Number
		} else if err := c.odd(text); err != nil {
			return 0, err
		}
		c.found, c.shown = line, strings.Clone(text)
	}
	switch c.kind {
	case Number:
		return c.checked(text)
	case Date:
		layout := c.config.DateLayout
		if layout == "" {
			layout = time.DateOnly
		}
		day, err := time.Parse(layout, text)
		if err != nil {
			return 0, fmt.Errorf("expected a day like %s in column %q, got %q (see CSVConfig.DateLayout)", layout, c.name, text)
		}
		c.whole = false
		return float32(math.Floor(float64(day.Unix()) / (24 * 60 * 60))), nil
	}
	if c.found > 0 {
		if _, err := c.number(text); err == nil {
			return 0, fmt.Errorf("expected words in column %q, as in line %d (%q), got %q (see CSVConfig.Kinds)", c.name, c.found, c.shown, text)
		}
	}
	code, ok := c.codes[text]
	if !ok && c.fixed {
		return 0, fmt.Errorf("expected one of %s in column %q, got %q", fewWords(c.words), c.name, text)
	}
	if !ok {
		if code = len(c.words); code >= 1<<24 {
			return 0, fmt.Errorf("column %q has more than %d different words", c.name, 1<<24)
		}
		word := strings.Clone(text)
		c.codes[word] = code
		c.words = append(c.words, word)
	}
	return float32(code), nil
}

func fewWords(words []string) string {
	if len(words) > 8 {
		return strings.Join(words[:8], ", ") + ", …"
	}
	return strings.Join(words, ", ")
}

// number reads a number as the config says that it is written.
func (c *field) number(text string) (float64, error) {
	separator := byte('.')
	if d := c.config.Decimal; d != 0 && d < 0x80 {
		separator = byte(d)
	}
	if v, ok := decimal(text, separator); ok {
		return v, nil
	}
	if d := c.config.Decimal; d != 0 && d != '.' {
		if strings.ContainsRune(text, '.') {
			return 0, strconv.ErrSyntax
		}
		text = strings.Replace(text, string(d), ".", 1)
	}
	if strings.ContainsAny(text, "_xXpP") { // which Go's numbers have, and tables' do not
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}

// plain is a number that needs no looking at: one of few digits that is no label.
func (c *field) plain(text string) (float32, bool) {
	if c.label || c.config.Decimal != 0 || len(c.config.MissingWords) > 0 {
		return 0, false
	}
	v, ok := decimal(text, '.')
	c.whole = false // which only labels ask
	return float32(v), ok
}

// exact is the largest number up to which float64 holds all whole ones.
const exact = 1 << 53

func (c *field) checked(text string) (float32, error) {
	v, err := c.number(text)
	switch {
	case errors.Is(err, strconv.ErrRange) || err == nil && math.Abs(v) > math.MaxFloat32 && !math.IsInf(v, 0):
		return 0, fmt.Errorf("expected a number that float32 can hold in column %q, got %s", c.name, text)
	case err != nil:
		if err := c.odd(text); err != nil {
			return 0, err
		}
		where := ""
		if c.found > 0 {
			where = fmt.Sprintf(", as in line %d (%q)", c.found, c.shown)
		}
		return 0, fmt.Errorf("expected a number in column %q%s, got %q (see CSVConfig.MissingWords and Kinds)", c.name, where, text)
	case math.Abs(v) >= exact && isWhole(text) && strings.TrimLeft(text, "+0") != strconv.FormatFloat(v, 'f', -1, 64):
		return 0, fmt.Errorf("expected whole numbers that float64 holds exactly, as all up to 2^53, in column %q, got %s", c.name, text)
	}
	f := float32(v)
	if c.label && v == math.Trunc(v) && float64(f) != v {
		return 0, fmt.Errorf("expected labels that float32 holds exactly, up to %d if they are whole, in column %q, got %s", 1<<24, c.name, text)
	}
	c.whole = c.whole && v == float64(int32(v))
	return f, nil
}

func isWhole(text string) bool {
	return strings.Trim(text, "+-0123456789") == ""
}

var (
	grouped = regexp.MustCompile(`^[+-]?\d{1,3}([,.' \x{a0}]\d{3})+([.,]\d+)?$`)
	comma   = regexp.MustCompile(`^[+-]?\d+,\d+$`)
	dates   = regexp.MustCompile(`^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})([ T]\d{1,2}:\d{2}.*)?$`)
)

// odd reports what looks like a number or a day, and is written in a way that the config does
// not say.
func (c *field) odd(text string) error {
	if _, said := c.config.Kinds[c.name]; said && c.kind == Category {
		return nil
	}
	switch {
	case dates.MatchString(text):
		return fmt.Errorf("column %q has days, such as %q: say Date or Category in CSVConfig.Kinds", c.name, text)
	case grouped.MatchString(text) || comma.MatchString(text):
		return fmt.Errorf("expected a number like 1234.5 in column %q, got %q: say in CSVConfig.Decimal what separates parts; thousands cannot be separated", c.name, text)
	}
	return nil
}

// settle puts words that were numbered as they came into the order of the alphabet.
func (c *field) settle(r *rows, j, width int) {
	if c.kind == Auto { // nothing but missing values
		c.kind = Number
	}
	if c.kind != Category || c.fixed {
		return
	}
	sorted := slices.Sorted(slices.Values(c.words))
	to := make([]float32, len(c.words))
	for i, w := range sorted {
		to[c.codes[w]] = float32(i)
	}
	gaps := c.gaps
	r.column(j, width, func(row int, v *float32) {
		if len(gaps) > 0 && gaps[0] == row {
			gaps = gaps[1:]
			return
		}
		*v = to[int(*v)]
	})
	c.words = sorted
	for i, w := range sorted {
		c.codes[w] = i
	}
}
