package data

import (
	"fmt"
	"iter"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
)

// Batch is a part of a dataset, as a model gets it: after every Map, and with
// inputs of float32.
type Batch struct {
	// X is [n, …].
	X *tensors.Tensor
	// Y is [n, …]; nil if there are no labels.
	Y *tensors.Tensor
}

// Batches returns the dataset in pieces of BatchSize; the last may be smaller.
// An error ends the sequence.
func (d *Dataset) Batches() iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		next, err := d.reader()
		if err != nil {
			yield(Batch{}, err)
			return
		}
		for start := 0; start < d.Len(); start += d.BatchSize() {
			b, err := next(d.source.Rows[start:min(start+d.BatchSize(), d.Len())])
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// reader returns a function that reads rows through the maps. It compiles a
// program for each number of rows: at most two, the last batch being smaller.
func (d *Dataset) reader() (func(rows []int32) (Batch, error), error) {
	dev, err := device.Current()
	if err != nil {
		return nil, err
	}
	columns, params, err := d.source.Open(dev)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	programs := make(map[int]*engine.Program)
	return func(rows []int32) (Batch, error) {
		index := shapes.Make(dtypes.Int32, len(rows))
		p := programs[len(rows)]
		if p == nil {
			all := slices.Concat(params, []engine.Param{{Name: "rows", Shape: index}})
			if p, err = engine.Compile(dev, "batch", all, d.source.Nodes); err != nil {
				return Batch{}, fmt.Errorf("data: %w", err)
			}
			programs[len(rows)] = p
		}
		at, err := engine.Upload(dev, rows, index)
		if err != nil {
			return Batch{}, fmt.Errorf("data: %w", err)
		}
		defer engine.Free(at)
		out, err := p.Run(slices.Concat(columns, []compute.Buffer{at}))
		if err != nil {
			return Batch{}, fmt.Errorf("data: %w", err)
		}
		var b Batch
		for i, to := range []**tensors.Tensor{&b.X, &b.Y}[:len(out)] {
			if *to, err = tensors.FromBuffer(out[i]); err != nil {
				return Batch{}, fmt.Errorf("data: %w", err)
			}
		}
		return b, nil
	}, nil
}
