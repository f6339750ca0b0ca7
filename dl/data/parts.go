package data

import "iter"

// shownExamples is how many examples Parts has.
const shownExamples = 20

// Parts are what a notebook's panel of variables shows of a dataset: the shapes of an
// input and of a label, the size of a batch, the classes' names and, of values in memory,
// the first 20 examples, as they are before any Map.
func (d *Dataset) Parts() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		if d.err != nil {
			yield("error", d.err.Error())
			return
		}
		if !yield("input shape", d.InputShape()) || !yield("label shape", d.LabelShape()) || !yield("batch size", d.BatchSize()) {
			return
		}
		if len(d.names) > 0 && !yield("class names", d.names) {
			return
		}
		if examples := d.first(shownExamples); len(examples) > 0 {
			yield("examples", examples)
		}
	}
}

// first are some examples of a table.
func (d *Dataset) first(n int) (all []Example) {
	if d.source.Stream != nil {
		return nil // reading one may take long, or change what it reads from
	}
	for r, err := range d.rows() {
		if err != nil || len(all) == n {
			break
		}
		all = append(all, d.example(r))
	}
	return all
}
