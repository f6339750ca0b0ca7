package data

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// CSVConfig says what the columns of a table of text are.
type CSVConfig struct {
	// Label is the column to foretell; "" means that there are no labels. Numbers
	// stay numbers; words become class numbers, in the order of the alphabet, and
	// class names.
	Label string
	// Features are the columns to use, in this order; nil means all but the label.
	// A column of words becomes a number for each word, as of a label.
	Features []string
	// Kinds say what columns are, by name; of others it is found out. A column with both
	// numbers and words is an error as long as it is not among them.
	Kinds map[string]Kind
	// Comma separates fields; 0 means ','.
	Comma rune
	// Decimal separates whole numbers from parts; 0 means '.'. Numbers have no other signs:
	// what separates thousands is an error.
	Decimal rune
	// DateLayout is how days are written, in Go's way; "" is 2006-01-02.
	DateLayout string
	// NoHeader says that the first line is no names: columns are then "0", "1", ….
	NoHeader bool
	// Missing is what stands for a value that is not there, NaN say; nil makes such a field an
	// error.
	Missing *float32
	// MissingWords are fields that say that a value is not there, beside empty ones: "NA", "?".
	MissingWords []string
}

// FromCSV is ReadCSV for who does not need the schema.
func FromCSV(r io.Reader, c CSVConfig) (*Dataset, error) {
	d, _, err := ReadCSV(r, c)
	return d, err
}

// ReadCSV makes a dataset of a table of text, with a line for each example, and says what its
// columns are: inputs are float32 [features], in which numbers are rounded as Go does.
//
// A column is what all its values are. One that does not fit is an error with its line and
// column, as are whole numbers that float64 would round, beyond 2⁵³, and, as labels, those that
// float32 would; two
// columns of one name; and numbers and days that are written in a way that the config does not
// say.
func ReadCSV(r io.Reader, c CSVConfig) (*Dataset, *Schema, error) {
	return c.read(r, nil)
}

// FromCSV makes a dataset of another table, whose columns are those of the schema, in any order
// and with others beside them. A word that the schema does not know is an error. Without a
// column for the label, the dataset has none. The config's Label, Features and Kinds are not
// used.
func (s *Schema) FromCSV(r io.Reader, c CSVConfig) (*Dataset, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	d, _, err := c.read(r, s)
	return d, err
}

func (c CSVConfig) read(r io.Reader, s *Schema) (*Dataset, *Schema, error) {
	t := csv.NewReader(r)
	t.TrimLeadingSpace = true
	t.ReuseRecord = true
	if c.Comma != 0 {
		t.Comma = c.Comma
	}
	line, err := t.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, errors.New("data: expected a table with at least one line, got none")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("data: %w", err)
	}
	line[0] = strings.TrimPrefix(line[0], "\ufeff") // a byte order mark, which is no part of it
	names, err := c.names(line)
	if err != nil {
		return nil, nil, err
	}
	b, err := c.table(names, s)
	if err != nil {
		return nil, nil, err
	}
	if !c.NoHeader {
		line, err = t.Read()
	}
	for ; err == nil; line, err = t.Read() {
		at, _ := t.FieldPos(0)
		if err := b.add(line, at); err != nil {
			return nil, nil, err
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("data: %w", err)
	}
	d, err := b.dataset()
	if err != nil {
		return nil, nil, err
	}
	return d, b.schema(), nil
}

// names are those of the columns.
func (c CSVConfig) names(line []string) ([]string, error) {
	var names []string
	if c.NoHeader {
		for i := range line {
			names = append(names, strconv.Itoa(i))
		}
		return names, nil
	}
	places := make(map[string]int)
	for i, name := range line {
		name = strings.TrimSpace(name)
		if at, ok := places[name]; ok {
			return nil, fmt.Errorf("data: expected columns of different names, got %q as column %d and as column %d", name, at+1, i+1)
		}
		places[name] = i
		names = append(names, strings.Clone(name))
	}
	return names, nil
}

// table makes what takes lines up.
func (c CSVConfig) table(names []string, s *Schema) (*table, error) {
	find := func(name string) (int, error) {
		i := slices.Index(names, name)
		if i < 0 {
			return 0, fmt.Errorf("data: expected one of the columns %s, got %q", strings.Join(names, ", "), name)
		}
		return i, nil
	}
	b := &table{config: c}
	if s != nil {
		for _, known := range s.Features {
			i, err := find(known.Name)
			if err != nil {
				return nil, err
			}
			b.features = append(b.features, c.known(known, i))
		}
		if s.Label != nil && slices.Contains(names, s.Label.Name) {
			b.label = c.known(*s.Label, slices.Index(names, s.Label.Name))
		}
		return b, nil
	}
	for name := range c.Kinds {
		if _, err := find(name); err != nil {
			return nil, err
		}
	}
	features := c.Features
	if features == nil {
		features = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == c.Label })
	}
	for _, name := range features {
		i, err := find(name)
		if err != nil {
			return nil, err
		}
		b.features = append(b.features, c.column(name, i, false))
	}
	if c.Label != "" {
		i, err := find(c.Label)
		if err != nil {
			return nil, err
		}
		b.label = c.column(c.Label, i, true)
	}
	if len(b.features) == 0 {
		return nil, errors.New("data: expected at least one feature, got none")
	}
	return b, nil
}
