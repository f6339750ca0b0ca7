package data

import (
	"errors"
	"fmt"
)

// table takes up a table line by line.
type table struct {
	config   CSVConfig
	features []*field
	label    *field
	lines    int
	x, y     rows
}

// rows are rows of numbers that grow without moving.
type rows struct {
	full [][]float32
	last []float32
}

// perBlock is how many rows are kept together.
const perBlock = 1 << 14

func (r *rows) add(v float32, width int) {
	if len(r.last) == cap(r.last) {
		if r.last != nil {
			r.full = append(r.full, r.last)
		}
		r.last = make([]float32, 0, perBlock*width)
	}
	r.last = append(r.last, v)
}

// column calls f for each number of a column.
func (r *rows) column(j, width int, f func(row int, v *float32)) {
	row := 0
	for _, block := range append(r.full[:len(r.full):len(r.full)], r.last) {
		for i := j; i < len(block); i += width {
			f(row, &block[i])
			row++
		}
	}
}

// flat are all numbers in one row.
func (r *rows) flat(n int) []float32 {
	all := make([]float32, 0, n)
	for i, block := range r.full {
		all = append(all, block...)
		r.full[i] = nil
	}
	return append(all, r.last...)
}

// add takes up a line.
func (t *table) add(fields []string, line int) error {
	for _, c := range t.features {
		v, err := c.read(fields[c.at], line, t.lines)
		if err != nil {
			return err
		}
		t.x.add(v, len(t.features))
	}
	if t.label != nil {
		v, err := t.label.read(fields[t.label.at], line, t.lines)
		if err != nil {
			return err
		}
		t.y.add(v, 1)
	}
	t.lines++
	return nil
}

// dataset is what the lines make.
func (t *table) dataset() (*Dataset, error) {
	if t.lines == 0 {
		return nil, errors.New("data: expected at least one line of values, got none")
	}
	n := len(t.features)
	for j, c := range t.features {
		c.settle(&t.x, j, n)
	}
	x := t.x.flat(t.lines * n)
	if t.label == nil {
		return FromFlat(x, []int{n}, []uint8(nil), nil)
	}
	c := t.label
	c.settle(&t.y, 0, 1)
	if c.kind == Category && len(c.gaps) > 0 {
		return nil, fmt.Errorf("data: column %q is a label of words, of which none may be missing", c.name)
	}
	y := t.y.flat(t.lines)
	if !c.whole {
		return FromFlat(x, []int{n}, y, nil)
	}
	numbers := make([]int32, len(y))
	for k, v := range y {
		numbers[k] = int32(v)
	}
	d, err := FromFlat(x, []int{n}, numbers, nil)
	if err == nil && c.kind == Category {
		d = d.ClassNames(c.words...)
	}
	return d, err
}

// schema says what the columns turned out to be.
func (t *table) schema() *Schema {
	s := &Schema{}
	of := func(c *field) Column {
		out := Column{Name: c.name, Kind: c.kind}
		if c.kind == Category {
			out.Categories = c.words
		}
		return out
	}
	for _, c := range t.features {
		s.Features = append(s.Features, of(c))
	}
	if t.label != nil {
		label := of(t.label)
		s.Label = &label
	}
	return s
}
