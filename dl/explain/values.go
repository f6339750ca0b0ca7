package explain

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/pass"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// values compute a target, and what else is built of it.
type values struct {
	model *dl.Model
	size  int // of the output
	probe *train.Probe
	words *words // nil unless gradients are by what an embedding makes of the input
}

// builder adds to a graph what is computed of a target, [batch]. x is by what gradients are.
type builder func(f *network.Flow, x, target *graph.Node) []*graph.Node

// plain computes a target and nothing else.
func plain(m *dl.Model, t Target) func() (*values, error) {
	return func() (*values, error) {
		return newValues(m, t, nil, nil, func(_ *network.Flow, _, target *graph.Node) []*graph.Node {
			return []*graph.Node{target}
		})
	}
}

// outputs computes all units.
func outputs(m *dl.Model, t Target) (*values, error) { return newValues(m, t, nil, nil, nil) }

// gradients compute what is built of gradients: by the input, or of words by what the
// embedding makes of them.
func gradients(m *dl.Model, t Target, tap pass.Tap, more builder) (*values, error) {
	var w *words
	if inner := train.Of(m); inner.Inputs != nil {
		var err error
		if w, err = wordsOf(inner); err != nil {
			return nil, err
		}
	}
	return newValues(m, t, tap, w, more)
}

func newValues(m *dl.Model, t Target, tap pass.Tap, w *words, more builder) (*values, error) {
	inner := train.Of(m)
	if err := t.check(m); err != nil {
		return nil, err
	}
	v := &values{model: m, size: inner.Outputs[t.Output].Shape.Size(), words: w}
	var err error
	v.probe, err = inner.Probe(w.tap(tap), func(f *network.Flow, x, extra []*graph.Node) []*graph.Node {
		y := graph.ConvertDType(t.node(m, f), dtypes.Float32)
		batch := y.Shape().Dimensions[0]
		y = graph.Reshape(y, batch, y.Shape().Size()/batch)
		if len(extra) == 0 {
			return []*graph.Node{y}
		}
		places := graph.Concatenate([]*graph.Node{graph.Iota(y.Graph(), extra[0].Shape(), 0), extra[0]}, 1)
		at := x[0]
		if w != nil {
			at = extra[1]
		}
		made := more(f, at, graph.Gather(y, places))
		for i, n := range made { // of models that compute in 16 bits, too
			made[i] = graph.ConvertDType(n, dtypes.Float32)
		}
		return made
	})
	return v, err
}

// outputs are all units, [batch, units].
func (v *values) outputs(x *tensor.Tensor) (*tensor.Tensor, error) {
	flat, err := wanted(v.model, x)
	if err != nil {
		return nil, err
	}
	out, err := v.probe.Call([]*tensor.Tensor{tensor.New(flat, x.Shape().Dimensions...)})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// call computes what the builder built. units are those of the target.
func (v *values) call(flat []float32, shape []int, units []int32) ([]*tensor.Tensor, error) {
	x, u := tensor.New(flat, shape...), tensor.New(units, len(units), 1)
	if v.words == nil {
		return v.probe.Call([]*tensor.Tensor{x}, u)
	}
	return v.probe.Call([]*tensor.Tensor{v.words.ids}, u, x)
}

// targets are the target's values of many inputs, [n, …] in flat, in portions.
func (v *values) targets(flat []float32, example []int, units []int32) ([]float64, error) {
	const portion = 64
	size := layers.Shape(example).Size()
	var out []float64
	for at := 0; at < len(units); at += portion {
		n := min(portion, len(units)-at)
		part, own := make([]float32, portion*size), make([]int32, portion) // one program for all
		copy(part, flat[at*size:(at+n)*size])
		copy(own, units[at:at+n])
		got, err := v.call(part, append([]int{portion}, example...), own)
		if err != nil {
			return nil, err
		}
		y, err := tensor.Flat[float32](got[0])
		if err != nil {
			return nil, err
		}
		for _, f := range y[:n] {
			out = append(out, float64(f))
		}
	}
	return out, nil
}
