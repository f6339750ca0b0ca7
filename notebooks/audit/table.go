// Package audit is what the chapters on tables of people have in common: tables as
// numbers, and what is asked of a score.
package audit

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
)

// Table is a table of cases, a row each. A column of numbers is one of Names; a column
// with a word in it becomes as many as it has different fields, "column = word", each 1
// or 0.
type Table struct {
	Names []string
	Rows  [][]float64
	// Positive says of which cases the label is the one that is looked for.
	Positive []bool
	// of is the column from which one of Names was made.
	of []string
}

// Read reads a table with a line of names. The label is a column; positive is the value
// of it that is looked for.
func Read(r io.Reader, label, positive string) (*Table, error) {
	lines, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	if len(lines) < 2 {
		return nil, fmt.Errorf("audit: expected a line of names and lines of cases, got %d lines", len(lines))
	}
	at := slices.Index(lines[0], label)
	if at < 0 {
		return nil, fmt.Errorf("audit: expected a column %q, got %q", label, lines[0])
	}
	t := &Table{Rows: make([][]float64, len(lines)-1)}
	for _, line := range lines[1:] {
		t.Positive = append(t.Positive, line[at] == positive)
	}
	if !slices.Contains(t.Positive, true) || !slices.Contains(t.Positive, false) {
		return nil, fmt.Errorf("audit: column %q: expected %q in some lines and not in others", label, positive)
	}
	for k, name := range lines[0] {
		if k != at {
			t.add(name, lines[1:], k)
		}
	}
	return t, nil
}

// add adds column k.
func (t *Table) add(name string, lines [][]string, k int) {
	numbers, words, wordy := make([]float64, len(lines)), []string{}, false
	for i, line := range lines {
		v, err := strconv.ParseFloat(line[k], 64)
		wordy = wordy || err != nil || math.IsNaN(v) || math.IsInf(v, 0)
		if !slices.Contains(words, line[k]) {
			words = append(words, line[k])
		}
		numbers[i] = v
	}
	if !wordy {
		t.Column(name, name, func(i int) float64 { return numbers[i] })
		return
	}
	slices.Sort(words)
	for _, w := range words {
		t.Column(name, name+" = "+w, func(i int) float64 {
			if lines[i][k] == w {
				return 1
			}
			return 0
		})
	}
}

// Column adds a column by its values; of is the name by which Without leaves it out.
func (t *Table) Column(of, name string, value func(i int) float64) {
	t.Names, t.of = append(t.Names, name), append(t.of, of)
	for i := range t.Rows {
		t.Rows[i] = append(t.Rows[i], value(i))
	}
}

// Without is the table without some of its columns.
func (t *Table) Without(columns ...string) *Table {
	less := &Table{Rows: make([][]float64, len(t.Rows)), Positive: t.Positive}
	for k, name := range t.Names {
		if !slices.Contains(columns, t.of[k]) {
			less.Column(t.of[k], name, func(i int) float64 { return t.Rows[i][k] })
		}
	}
	return less
}

// Values are the values of one of Names; it panics if there is none.
func (t *Table) Values(name string) []float64 {
	k := slices.Index(t.Names, name)
	if k < 0 {
		panic(fmt.Sprintf("audit: expected one of the columns %q, got %q", t.Names, name))
	}
	v := make([]float64, len(t.Rows))
	for i, row := range t.Rows {
		v[i] = row[k]
	}
	return v
}

// Scaled are the rows with mean 0 and deviation 1 in each column, where mean and
// deviation are those of some of the rows: the ones that a model learns from.
func (t *Table) Scaled(on []int) [][]float32 {
	out := make([][]float32, len(t.Rows))
	for i := range out {
		out[i] = make([]float32, len(t.Names))
	}
	for k := range t.Names {
		sum, squares := 0.0, 0.0
		for _, i := range on {
			sum += t.Rows[i][k]
			squares += t.Rows[i][k] * t.Rows[i][k]
		}
		mean := sum / float64(len(on))
		deviation := math.Sqrt(max(0, squares/float64(len(on))-mean*mean))
		if deviation < 1e-9 {
			deviation = 1 // all the same
		}
		for i, row := range t.Rows {
			out[i][k] = float32((row[k] - mean) / deviation)
		}
	}
	return out
}

// Labels are 1 for the cases that are looked for, and 0.
func (t *Table) Labels() []float32 {
	out := make([]float32, len(t.Positive))
	for i, p := range t.Positive {
		if p {
			out[i] = 1
		}
	}
	return out
}

// Answers are Labels as whole numbers.
func (t *Table) Answers() []int {
	out := make([]int, len(t.Positive))
	for i, v := range t.Labels() {
		out[i] = int(v)
	}
	return out
}

// All are the numbers of all cases.
func (t *Table) All() []int {
	all := make([]int, len(t.Rows))
	for i := range all {
		all[i] = i
	}
	return all
}

// Halves are the numbers of the cases, in two parts by chance.
func (t *Table) Halves(seed uint64) (a, b []int) {
	order := rand.New(rand.NewPCG(seed, 5)).Perm(len(t.Rows))
	return order[:len(order)/2], order[len(order)/2:]
}
