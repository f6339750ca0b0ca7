package data

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/dl/internal/atomicfile"
)

// Kind is what the values of a column are.
type Kind int

// The kinds of columns.
const (
	// Auto finds out: numbers if all values are numbers, categories if none is.
	Auto Kind = iota
	// Number is a column of numbers.
	Number
	// Category is a column of words, or of numbers that stand for words. Each becomes its
	// place in the column's Categories.
	Category
	// Date is a column of days, which become how many days they are after 1970-01-01.
	Date
)

var kindNames = []string{"auto", "number", "category", "date"}

// String is the kind's name.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return kindNames[k]
}

// MarshalText implements encoding.TextMarshaler.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *Kind) UnmarshalText(text []byte) error {
	i := slices.Index(kindNames, string(text))
	if i < 0 {
		return fmt.Errorf("data: expected a kind of %s, got %q", strings.Join(kindNames, ", "), text)
	}
	*k = Kind(i)
	return nil
}

// Column is what a Schema says of a column.
type Column struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// Categories are a Category's words; the place of each, from 0 on, is its number.
	Categories []string `json:"categories,omitempty"`
}

// Schema is what the columns of tables are: which there are, what their values are, and which
// number each word is. It is made of the table that a model is trained with, by ReadCSV, and
// applied to others, so that a word is the same number in all of them. A model keeps it
// (dl.Model.SetSchema), also in its file.
type Schema struct {
	// Features are the columns of inputs, in their order.
	Features []Column `json:"features"`
	// Label is the column to foretell; nil if there is none.
	Label *Column `json:"label,omitempty"`
}

// String is a table of the columns.
func (s *Schema) String() string {
	var b strings.Builder
	line := func(role string, c Column) {
		fmt.Fprintf(&b, "%-8s %-20s %s", role, c.Name, c.Kind)
		if n := len(c.Categories); n > 0 {
			shown := c.Categories[:min(n, 8)]
			fmt.Fprintf(&b, " of %d: %s", n, strings.Join(shown, ", "))
			if n > len(shown) {
				b.WriteString(", …")
			}
		}
		b.WriteByte('\n')
	}
	for _, c := range s.Features {
		line("feature", c)
	}
	if s.Label != nil {
		line("label", *s.Label)
	}
	return b.String()
}

// Code is the number of a word in a column; ok is false if the schema does not know the column
// or the word.
func (s *Schema) Code(column, word string) (code int, ok bool) {
	for _, c := range s.columns() {
		if c.Name == column {
			code = slices.Index(c.Categories, word)
			return code, code >= 0
		}
	}
	return 0, false
}

func (s *Schema) columns() []Column {
	all := slices.Clone(s.Features)
	if s.Label != nil {
		all = append(all, *s.Label)
	}
	return all
}

// Save writes the schema to a file, as JSON.
func (s *Schema) Save(path string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("data: cannot save a schema: %w", err)
	}
	err = atomicfile.Write(path, 0, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	if err != nil {
		return fmt.Errorf("data: cannot save a schema: %w", err)
	}
	return nil
}

// LoadSchema reads a file of Schema.Save.
func LoadSchema(path string) (*Schema, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	s := &Schema{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("data: expected a schema in %s: %w", path, err)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("data: %s: %w", path, err)
	}
	return s, nil
}

// check reports a schema that no table can have.
func (s *Schema) check() error {
	if len(s.Features) == 0 {
		return fmt.Errorf("expected a schema of at least one feature, got none")
	}
	seen := make(map[string]bool)
	for _, c := range s.columns() {
		if seen[c.Name] {
			return fmt.Errorf("expected columns of different names, got two named %q", c.Name)
		}
		seen[c.Name] = true
		if c.Kind <= Auto || int(c.Kind) >= len(kindNames) {
			return fmt.Errorf("column %q: expected a kind of number, category or date, got %s", c.Name, c.Kind)
		}
		words := make(map[string]bool)
		for _, w := range c.Categories {
			if words[w] {
				return fmt.Errorf("column %q: expected different categories, got %q twice", c.Name, w)
			}
			words[w] = true
		}
	}
	return nil
}
