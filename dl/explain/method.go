package explain

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/pass"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Method makes attributions of one input: x is [batch, …], and so is what is returned. The
// model must have one input.
type Method interface {
	Attribute(m *dl.Model, x *tensor.Tensor, t Target) (*tensor.Tensor, error)
}

// Target is what is explained: a number for each example. Its zero value is unit 0 of the
// first output, which is all of a regression.
type Target struct {
	// Output is which of the model's outputs, from 0 on.
	Output int
	// Unit is which number of the output, flattened, from 0 on: the class. Units are those
	// of each example, if they are not nil.
	Unit  int
	Units []int
	// Probability explains what a last softmax or sigmoid makes. Unless set, what goes into
	// it is explained, which does not depend on other classes.
	Probability bool
}

// Class is the target of one class.
func Class(k int) Target { return Target{Unit: k} }

// Classes are targets of each example.
func Classes(k ...int) Target { return Target{Units: k} }

// Predicted is the class with the largest output, of each example.
func Predicted(m *dl.Model, x *tensor.Tensor) (Target, error) {
	v, err := newValues(m, Target{}, nil, nil)
	if err != nil {
		return Target{}, err
	}
	out, err := v.outputs(x)
	if err != nil {
		return Target{}, err
	}
	best, err := dl.ArgMax(out)
	return Target{Units: best}, err
}

// node is the output of which the target is a unit.
func (t Target) node(m *dl.Model, f *network.Flow) *graph.Node {
	y := f.Values[train.Of(m).Outputs[t.Output]]
	if logits, ok := f.Pass.Logits(y); ok && !t.Probability {
		return logits.Node
	}
	return y
}

// wanted checks a model and an input.
func wanted(m *dl.Model, x *tensor.Tensor) ([]float32, error) {
	if m == nil || x == nil {
		return nil, fmt.Errorf("explain: expected a model and an input, got nil")
	}
	if n := len(m.Inputs()); n != 1 {
		return nil, fmt.Errorf("explain: expected a built model of one input, got one of %d", n)
	}
	d := x.Shape().Dimensions
	if len(d) == 0 || !m.InputShape().Equal(layers.Shape(d[1:])) || d[0] == 0 {
		return nil, fmt.Errorf("explain: expected an input of shape (batch, …) with examples of %v, got %v", m.InputShape(), x.Shape())
	}
	flat, err := tensor.Flat[float32](x)
	if err != nil {
		return nil, fmt.Errorf("explain: expected an input of float32, got %v", x.Shape())
	}
	for i, v := range flat {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("explain: expected finite inputs, got %g of example %d", v, i/max(len(flat)/d[0], 1))
		}
	}
	return flat, nil
}

// prepared checks an input, makes what computes a target, and finds the units of the examples.
func prepared(m *dl.Model, x *tensor.Tensor, t Target, create func() (*values, error)) (v *values, flat []float32, units []int32, err error) {
	if flat, err = wanted(m, x); err != nil {
		return nil, nil, nil, err
	}
	if v, err = create(); err != nil {
		return nil, nil, nil, err
	}
	units, err = t.units(x.Shape().Dimensions[0], v.size)
	return v, flat, units, err
}

// plain computes a target and nothing else.
func plain(m *dl.Model, t Target) func() (*values, error) {
	return func() (*values, error) { return newValues(m, t, nil, nil) }
}

// units are those of examples, of outputs of so many.
func (t Target) units(batch, size int) ([]int32, error) {
	if t.Units != nil && len(t.Units) != batch {
		return nil, fmt.Errorf("explain: expected a target for each of %d examples, got %d", batch, len(t.Units))
	}
	out := make([]int32, batch)
	for i := range out {
		k := t.Unit
		if t.Units != nil {
			k = t.Units[i]
		}
		if k < 0 || k >= size {
			return nil, fmt.Errorf("explain: expected a target in [0, %d), got %d of example %d", size, k, i)
		}
		out[i] = int32(k)
	}
	return out, nil
}

// values compute a target, and what else is built of it.
type values struct {
	model *dl.Model
	size  int // of the output
	probe *train.Probe
}

// builder adds to a graph what is computed of a target, [batch].
type builder func(f *network.Flow, x, target *graph.Node) []*graph.Node

func newValues(m *dl.Model, t Target, tap pass.Tap, more builder) (*values, error) {
	inner := train.Of(m)
	if inner.Outputs == nil {
		return nil, fmt.Errorf("explain: expected a model that is built, got %q, which is not", m.Name())
	}
	if t.Output < 0 || t.Output >= len(inner.Outputs) {
		return nil, fmt.Errorf("explain: expected an output in [0, %d), got %d", len(inner.Outputs), t.Output)
	}
	v := &values{model: m, size: inner.Outputs[t.Output].Shape.Size()}
	var err error
	v.probe, err = inner.Probe(tap, func(f *network.Flow, x, extra []*graph.Node) []*graph.Node {
		y := t.node(m, f)
		batch := y.Shape().Dimensions[0]
		y = graph.Reshape(y, batch, y.Shape().Size()/batch)
		if len(extra) == 0 {
			return []*graph.Node{y}
		}
		places := graph.Concatenate([]*graph.Node{graph.Iota(y.Graph(), extra[0].Shape(), 0), extra[0]}, 1)
		target := graph.Gather(y, places)
		if more == nil {
			return []*graph.Node{target}
		}
		return more(f, x[0], target)
	})
	return v, err
}

// outputs are all units, [batch, units].
func (v *values) outputs(x *tensor.Tensor) (*tensor.Tensor, error) {
	if _, err := wanted(v.model, x); err != nil {
		return nil, err
	}
	out, err := v.probe.Call([]*tensor.Tensor{x})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// call computes what the builder built. units are those of the target.
func (v *values) call(flat []float32, shape []int, units []int32) ([]*tensor.Tensor, error) {
	return v.probe.Call([]*tensor.Tensor{tensor.New(flat, shape...)}, tensor.New(units, len(units), 1))
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
