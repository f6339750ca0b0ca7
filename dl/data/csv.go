package data

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
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
	// Comma separates fields; 0 means ','.
	Comma rune
	// NoHeader says that the first line is no names: columns are then "0", "1", ….
	NoHeader bool
	// Missing is what stands for an empty field, NaN say; nil makes such a field an
	// error.
	Missing *float32
}

// FromCSV makes a dataset of a table of text, with a line for each example: inputs are
// float32 [features]. Two columns of one name, numbers that float32 cannot hold, and whole
// numbers as labels that it would round are errors.
func FromCSV(r io.Reader, c CSVConfig) (*Dataset, error) {
	t := csv.NewReader(r)
	t.TrimLeadingSpace = true
	if c.Comma != 0 {
		t.Comma = c.Comma
	}
	lines, err := t.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	names, lines, first, err := c.head(lines)
	if err != nil {
		return nil, err
	}
	find := func(name string) (int, error) {
		i := slices.Index(names, name)
		if i < 0 {
			return 0, fmt.Errorf("data: expected one of the columns %s, got %q", strings.Join(names, ", "), name)
		}
		return i, nil
	}
	features := c.Features
	if features == nil {
		features = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == c.Label })
	}
	if len(lines) == 0 || len(features) == 0 {
		return nil, fmt.Errorf("data: expected at least one line and one feature, got %d and %d", len(lines), len(features))
	}
	x := make([]float32, len(lines)*len(features))
	for j, name := range features {
		i, err := find(name)
		if err != nil {
			return nil, err
		}
		values, _, _, err := c.column(lines, i, name, first)
		if err != nil {
			return nil, err
		}
		for k, v := range values {
			x[k*len(features)+j] = v
		}
	}
	if c.Label == "" {
		return FromFlat(x, []int{len(features)}, []uint8(nil), nil)
	}
	i, err := find(c.Label)
	if err != nil {
		return nil, err
	}
	values, classes, whole, err := c.column(lines, i, c.Label, first)
	switch {
	case err != nil:
		return nil, err
	case !whole:
		return FromFlat(x, []int{len(features)}, values, nil)
	}
	return withClasses(x, len(features), values, classes)
}

// withClasses makes a dataset of rows of features and numbers of classes.
func withClasses(x []float32, features int, values []float32, classes []string) (*Dataset, error) {
	numbers := make([]int32, len(values))
	for k, v := range values {
		numbers[k] = int32(v)
	}
	d, err := FromFlat(x, []int{features}, numbers, nil)
	if err == nil && classes != nil {
		d = d.ClassNames(classes...)
	}
	return d, err
}

// head returns the names of the columns, the lines below, and the first one's number.
func (c CSVConfig) head(lines [][]string) (names []string, rest [][]string, first int, err error) {
	if len(lines) == 0 {
		return nil, nil, 0, errors.New("data: expected a table with at least one line, got none")
	}
	lines[0][0] = strings.TrimPrefix(lines[0][0], "\ufeff") // a byte order mark, which is no part of it
	if !c.NoHeader {
		places := make(map[string]int)
		for i, name := range lines[0] {
			if at, ok := places[name]; ok {
				return nil, nil, 0, fmt.Errorf("data: expected columns of different names, got %q as column %d and as column %d", name, at+1, i+1)
			}
			places[name] = i
		}
		return lines[0], lines[1:], 2, nil
	}
	for i := range lines[0] {
		names = append(names, strconv.Itoa(i))
	}
	return names, lines, 1, nil
}

// column reads a column: numbers, or words as the numbers of classes. whole says that all
// numbers are.
func (c CSVConfig) column(lines [][]string, i int, name string, first int) (values []float32, classes []string, whole bool, err error) {
	values, whole = make([]float32, len(lines)), true
	words := false
	for k, line := range lines {
		text := strings.TrimSpace(line[i])
		if text == "" && c.Missing != nil {
			values[k], whole = *c.Missing, false
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || math.Abs(v) > math.MaxFloat32 && !math.IsInf(v, 0) {
			if err == nil || errors.Is(err, strconv.ErrRange) {
				return nil, nil, false, fmt.Errorf("data: line %d: expected a number that float32 can hold in column %q, got %s", first+k, name, text)
			}
			if text == "" {
				return nil, nil, false, fmt.Errorf("data: line %d: expected a value in column %q, got none (see CSVConfig.Missing)", first+k, name)
			}
			words = true
			break
		}
		values[k] = float32(v)
		if name == c.Label && v == math.Trunc(v) && float64(values[k]) != v {
			return nil, nil, false, fmt.Errorf("data: line %d: expected labels that float32 holds exactly, up to %d if they are whole, in column %q, got %s", first+k, 1<<24, name, text)
		}
		whole = whole && v == float64(int32(v))
	}
	if !words {
		return values, nil, whole, nil
	}
	for _, line := range lines {
		classes = append(classes, strings.TrimSpace(line[i]))
	}
	slices.Sort(classes)
	classes = slices.Compact(classes)
	for k, line := range lines {
		at, _ := slices.BinarySearch(classes, strings.TrimSpace(line[i]))
		values[k] = float32(at)
	}
	return values, classes, true, nil
}
