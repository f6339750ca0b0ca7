package data

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/gradbook/gradbook/dl/internal/source"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Zip puts datasets side by side: an example has the inputs of all, and the labels of
// all. They must be of one length; the maps of each apply to its part. The batch
// size is the first one's.
func Zip(datasets ...*Dataset) *Dataset {
	if len(datasets) == 0 {
		return (&Dataset{}).broken("expected at least one dataset to Zip, got none")
	}
	first := datasets[0]
	if first == nil {
		return (&Dataset{}).broken("expected datasets to Zip, got nil")
	}
	out := &Dataset{batch: first.batch, names: first.names}
	tables := true
	for _, d := range datasets {
		if d == nil {
			return out.broken("expected datasets to Zip, got nil")
		}
		if d.err != nil {
			return d
		}
		if d.Len() != first.Len() {
			return out.broken("expected datasets of one length to Zip, got %d and %d examples", first.Len(), d.Len())
		}
		if d.source.W != nil {
			return out.broken("expected datasets without weights to Zip; give the result weights instead")
		}
		tables = tables && d.source.Stream == nil && slices.Equal(d.source.Rows, first.source.Rows)
	}
	parts := datasets
	if !tables {
		parts = nil
		for _, d := range datasets {
			if d.source.Stream != nil {
				return out.broken("expected tables to Zip, got a stream; Cache makes a table of it")
			}
			parts = append(parts, d.compact())
		}
	}
	out.source.Rows = parts[0].source.Rows
	for _, d := range parts {
		out.source.X = append(out.source.X, d.source.X...)
		out.source.Y = append(out.source.Y, d.source.Y...)
	}
	if !slices.ContainsFunc(parts, func(d *Dataset) bool { return d.source.Steps != nil }) {
		return out // no map, so that the model's programs are used again
	}
	return out.MapAll(func(b Nodes) Nodes {
		all := Nodes{W: b.W}
		x, y := 0, 0
		for _, d := range parts {
			nx, ny := len(d.source.X), len(d.source.Y)
			n := d.source.Steps.Apply(source.Batch{X: b.X[x : x+nx : x+nx], Y: b.Y[y : y+ny : y+ny]})
			all.X, all.Y = append(all.X, n.X...), append(all.Y, n.Y...)
			x, y = x+nx, y+ny
		}
		return all
	})
}

// WithLabels returns the inputs of d, and its labels if it has any, with the inputs
// of y, which has no labels itself, as labels: for labels that come from elsewhere.
func (d *Dataset) WithLabels(y *Dataset) *Dataset {
	if len(y.source.Y) > 0 {
		return d.broken("expected labels from a dataset of inputs alone, got one with labels of its own")
	}
	z := Zip(d, y)
	if z.err != nil {
		return z
	}
	e := *z
	n, labels, joined := len(d.source.X), len(z.source.Y), z.source.Steps
	e.source.Y = append(append([]*source.Column{}, z.source.Y...), z.source.X[n:]...)
	e.source.X = z.source.X[:n:n]
	if joined == nil {
		return &e
	}
	e.source.Steps = nil
	return e.MapAll(func(b Nodes) Nodes {
		b = Nodes(joined.Apply(source.Batch{X: append(append([]*tensor.Node{}, b.X...), b.Y[labels:]...), Y: b.Y[:labels:labels], W: b.W}))
		return Nodes{X: b.X[:n:n], Y: append(append([]*tensor.Node{}, b.Y...), b.X[n:]...), W: b.W}
	})
}

// WithWeights gives each example a weight, by which its part in the loss is
// multiplied: Keras's sample_weight.
func (d *Dataset) WithWeights(weights []float32) *Dataset {
	if d.source.Stream != nil {
		return d.broken("expected a table to give weights to, got a stream; its examples may have a Weight")
	}
	if len(weights) != d.Len() {
		return d.broken("expected %d weights, one for each example, got %d", d.Len(), len(weights))
	}
	for i, w := range weights {
		if !(w >= 0) {
			return d.broken("expected weights of at least 0, got %g for example %d", w, i)
		}
	}
	all := make([]float32, d.source.X[0].Shape.Dimensions[0])
	for i, r := range d.source.Rows {
		all[r] = weights[i]
	}
	e := *d
	e.source.W = source.NewColumn(shapes.Make(dtypes.Float32, len(all)), all)
	return &e
}
