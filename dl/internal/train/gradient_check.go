package train

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/network"
)

// GradientReport compares gradients; the fields are those of dl.GradientReport.
type GradientReport struct {
	Names             []string
	Analytic, Numeric []*tensors.Tensor
	Errors            []float64
}

const gradientStep = 1e-5

// CheckGradient compares the gradient of a function with differences of it.
func CheckGradient(f func(x []*graph.Node) *graph.Node, names []string, at []*tensors.Tensor) (*GradientReport, error) {
	d, err := device.Current()
	if err != nil {
		return nil, err
	}
	wide := make([]*tensors.Tensor, len(at))
	values := make([][]float64, len(at))
	for i, x := range at {
		if x == nil {
			return nil, fmt.Errorf("expected a tensor as argument %d, got nil", i)
		}
		if values[i], err = Doubles(x); err != nil {
			return nil, err
		}
		wide[i] = tensors.FromFlatDataAndDimensions(values[i], x.Shape().Dimensions...)
	}
	slopes, err := RunOnce(d, func(in []*graph.Node) []*graph.Node { return graph.Gradient(ScalarOf(f, in), in...) }, wide)
	if err != nil {
		return nil, err
	}
	program, err := engine.Function(d, func(in []*graph.Node) []*graph.Node { return []*graph.Node{ScalarOf(f, in)} }, wide)
	if err != nil {
		return nil, err
	}
	r := &GradientReport{Names: names, Analytic: slopes}
	for i := range wide {
		numeric, err := differences(program, wide, i, values[i])
		if err != nil {
			return nil, err
		}
		analytic, err := Doubles(slopes[i])
		if err != nil {
			return nil, err
		}
		r.Numeric = append(r.Numeric, tensors.FromFlatDataAndDimensions(numeric, at[i].Shape().Dimensions...))
		r.Errors = append(r.Errors, worst(numeric, analytic))
	}
	return r, nil
}

// differences are the slopes of program by the numbers, v, of its argument i: what moving each a
// little to either side changes. All arguments are afterwards what they were.
func differences(program *engine.Program, args []*tensors.Tensor, i int, v []float64) ([]float64, error) {
	was, dims := args[i], args[i].Shape().Dimensions
	defer func() { args[i] = was }()
	slopes := make([]float64, len(v))
	moved := slices.Clone(v)
	for j := range v {
		var side [2]float64
		for k, sign := range []float64{1, -1} {
			moved[j] = v[j] + sign*gradientStep
			args[i] = tensors.FromFlatDataAndDimensions(moved, dims...)
			out, err := program.Call(args)
			if err != nil {
				return nil, err
			}
			y, err := Doubles(out[0])
			if err != nil {
				return nil, err
			}
			side[k] = y[0]
		}
		moved[j] = v[j]
		slopes[j] = (side[0] - side[1]) / (2 * gradientStep)
	}
	return slopes, nil
}

// worst is the largest difference, relative to what is larger than 1.
func worst(numeric, analytic []float64) (most float64) {
	for j := range numeric {
		size := math.Max(1, math.Max(math.Abs(numeric[j]), math.Abs(analytic[j])))
		if e := math.Abs(numeric[j]-analytic[j]) / size; e > most || math.IsNaN(e) {
			most = e
		}
	}
	return most
}

// Doubles are a tensor's numbers as float64.
func Doubles(t *tensors.Tensor) (out []float64, err error) {
	e := t.ConstFlatData(func(flat any) {
		switch v := flat.(type) {
		case []float64:
			out = append(out, v...)
		case []float32:
			for _, x := range v {
				out = append(out, float64(x))
			}
		default:
			err = fmt.Errorf("expected tensors of floats, got %v", t.Shape())
		}
	})
	if err == nil {
		err = e
	}
	return out, err
}

// ScalarOf calls a function that must return a scalar.
func ScalarOf(f func(x []*graph.Node) *graph.Node, in []*graph.Node) *graph.Node {
	y := f(in)
	if y == nil || !y.IsScalar() {
		panic(fmt.Errorf("expected a function that returns a scalar, got %v; a sum or a mean makes one", y))
	}
	return y
}

// RunOnce runs a graph once.
func RunOnce(d *device.Device, build func(in []*graph.Node) []*graph.Node, in []*tensors.Tensor) ([]*tensors.Tensor, error) {
	program, err := engine.Function(d, build, in)
	if err != nil {
		return nil, err
	}
	return program.Call(in)
}

// CheckGradients compares the gradients of the model's loss by its weights with differences,
// on a batch, in float64.
func (m *Model) CheckGradients(x, labels []*tensors.Tensor) (*GradientReport, error) {
	m.Lock.Lock()
	defer m.Lock.Unlock()
	if err := m.traceable("check", x, labels); err != nil {
		return nil, err
	}
	var names []string
	var trained []network.Weight
	rest := make(map[*network.Variable]*tensors.Tensor)
	for _, w := range m.Weights {
		values, err := w.Values()
		if err != nil {
			return nil, err
		}
		t := tensors.FromFlatDataAndDimensions(values, w.Shape.Dimensions...)
		if w.Trainable() {
			names, trained = append(names, w.Name), append(trained, w)
		}
		rest[w.Variable] = t
	}
	var at []*tensors.Tensor
	for _, w := range trained {
		at = append(at, rest[w.Variable])
	}
	return CheckGradient(func(in []*graph.Node) *graph.Node {
		g := in[0].Graph()
		nodes := make(map[*network.Variable]*graph.Node)
		for i, w := range trained {
			nodes[w.Variable] = in[i]
		}
		var weights, inputs, y []*graph.Node
		for _, w := range m.Weights {
			n := nodes[w.Variable]
			if n == nil {
				n = graph.ConvertDType(graph.ConstTensor(g, rest[w.Variable]), dtypes.Float64)
			}
			weights = append(weights, n)
		}
		for _, t := range x {
			inputs = append(inputs, graph.ConvertDType(graph.ConstTensor(g, t), dtypes.Float64))
		}
		for _, t := range labels {
			y = append(y, graph.ConstTensor(g, t))
		}
		f := m.ForwardWide(weights, inputs, fixedRandom(g))
		return m.lossIn(f, y)
	}, names, at)
}

// lossIn is the mean loss with penalties, in float64.
func (m *Model) lossIn(f *network.Flow, y []*graph.Node) (loss *graph.Node) {
	names := m.OutputNames()
	for i, o := range m.trained() {
		s := m.Outputs[o]
		own := meanLoss(m.compiled.lossOf(names[o]).Compute(y[i], f.Values[s]), nil, f.Masks[s])
		if factor, ok := m.compiled.LossWeights[names[o]]; ok {
			own = graph.MulScalar(own, factor)
		}
		loss = plus(loss, own)
	}
	for _, extra := range m.penalties(f, dtypes.Float64) {
		loss = plus(loss, extra)
	}
	return loss
}
