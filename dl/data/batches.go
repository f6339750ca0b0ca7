package data

import (
	"fmt"
	"iter"

	"github.com/gomlx/compute"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/source"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Batch is a part of a dataset, as a model gets it: after every Map, and with
// inputs of float32.
type Batch struct {
	// X is [n, …]: the first input, if there are several.
	X *tensor.Tensor
	// Y is [n, …]: the first label; nil if there are none.
	Y *tensor.Tensor
	// Inputs and Labels are all of them.
	Inputs, Labels []*tensor.Tensor
	// Weights is [n]; nil if there are none.
	Weights *tensor.Tensor
}

// Batches returns the dataset in pieces of BatchSize; the last may be smaller.
// An error ends the sequence.
func (d *Dataset) Batches() iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		if d.err != nil {
			yield(Batch{}, d.err)
			return
		}
		dev, err := device.Current()
		if err != nil {
			yield(Batch{}, err)
			return
		}
		r, err := d.source.Read(dev, d.BatchSize())
		if err != nil {
			yield(Batch{}, fmt.Errorf("data: %w", err))
			return
		}
		defer r.Close()
		if err := r.Rewind(d.source.Rows); err != nil {
			yield(Batch{}, fmt.Errorf("data: %w", err))
			return
		}
		programs := make(map[int]*engine.Program)
		for {
			in, n, err := r.Next()
			if n == 0 && err == nil {
				return
			}
			var b Batch
			if err == nil {
				b, err = d.run(dev, programs, r, in, n)
			}
			if err != nil {
				yield(Batch{}, fmt.Errorf("data: %w", err))
				return
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// run sends a batch of n through the maps. It compiles a program for each n: at
// most two, the last batch being smaller.
func (d *Dataset) run(dev *device.Device, programs map[int]*engine.Program, r *source.Reader, in []compute.Buffer, n int) (Batch, error) {
	p := programs[n]
	if p == nil {
		var err error
		p, err = engine.Compile(dev, "batch", r.Params(n), func(nodes []*tensor.Node) []*tensor.Node {
			b, moved := r.Batch(nodes, n)
			out := append([]*tensor.Node{moved}, append(b.X, b.Y...)...)
			if b.W != nil {
				out = append(out, b.W)
			}
			return out
		})
		if err != nil {
			return Batch{}, err
		}
		programs[n] = p
	}
	out, err := p.Run(in)
	if err != nil {
		return Batch{}, err
	}
	r.Moved(out[0])
	return d.batchOf(out[1:])
}

func (d *Dataset) batchOf(buffers []compute.Buffer) (b Batch, err error) {
	all := make([]*tensor.Tensor, len(buffers))
	for i, buffer := range buffers {
		if all[i], err = engine.Tensor(buffer); err != nil {
			return b, err
		}
	}
	info, err := d.info()
	if err != nil {
		return b, err
	}
	x, y := len(info.X), len(info.Y)
	b.Inputs, b.Labels = all[:x], all[x:x+y]
	b.X = b.Inputs[0]
	if y > 0 {
		b.Y = b.Labels[0]
	}
	if len(all) > x+y {
		b.Weights = all[x+y]
	}
	return b, nil
}

func (d *Dataset) info() (source.Info, error) {
	dev, err := device.Current()
	if err != nil {
		return source.Info{}, err
	}
	return d.source.Info(dev, 1)
}
