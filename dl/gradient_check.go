package dl

import (
	"fmt"
	"math"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
)

// GradientReport is what GradientCheck found: for each argument, its gradient as it was
// derived and as differences show it.
type GradientReport struct {
	// Names of the arguments: "x0", or those of a model's weights.
	Names []string
	// Analytic is the gradient as derived, Numeric by differences; float64, in the
	// shapes of the arguments.
	Analytic, Numeric []*tensors.Tensor
	// Errors is the greatest difference of each, relative to the larger of the two
	// and to 1.
	Errors []float64
}

// MaxError is the greatest of Errors.
func (r *GradientReport) MaxError() float64 {
	worst := 0.0
	for _, e := range r.Errors {
		worst = math.Max(worst, e)
	}
	return worst
}

// String is a table with a line for each argument.
func (r *GradientReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-24s %-16s %s", "gradient by", "shape", "greatest error")
	for i, n := range r.Names {
		fmt.Fprintf(&b, "\n%-24s %-16s %.1e", n, fmt.Sprint(r.Analytic[i].Shape().Dimensions), r.Errors[i])
	}
	return b.String()
}

// GradientCheck compares the gradient of a function with what moving each number of its
// arguments a little changes: (f(x + h) − f(x − h))/2h. It computes in float64, whatever
// the arguments' types, and f twice for each number, so it is for small tensors.
func GradientCheck(f func(x []*graph.Node) *graph.Node, at ...*tensors.Tensor) (_ *GradientReport, err error) {
	defer edge(&err)
	names := make([]string, len(at))
	for i := range at {
		names[i] = fmt.Sprintf("x%d", i)
	}
	return checkGradient(f, names, at)
}

const gradientStep = 1e-5

func checkGradient(f func(x []*graph.Node) *graph.Node, names []string, at []*tensors.Tensor) (*GradientReport, error) {
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
		if values[i], err = doubles(x); err != nil {
			return nil, err
		}
		wide[i] = tensors.FromFlatDataAndDimensions(values[i], x.Shape().Dimensions...)
	}
	slopes, err := runOnce(d, func(in []*graph.Node) []*graph.Node { return graph.Gradient(scalarOf(f, in), in...) }, wide)
	if err != nil {
		return nil, err
	}
	program, err := engine.Function(d, func(in []*graph.Node) []*graph.Node { return []*graph.Node{scalarOf(f, in)} }, wide)
	if err != nil {
		return nil, err
	}
	r := &GradientReport{Names: names, Analytic: slopes}
	for i := range wide {
		numeric := make([]float64, len(values[i]))
		for j, v := range values[i] {
			var side [2]float64
			for k, sign := range []float64{1, -1} {
				values[i][j] = v + sign*gradientStep
				wide[i] = tensors.FromFlatDataAndDimensions(values[i], at[i].Shape().Dimensions...)
				out, err := program.Call(wide)
				if err != nil {
					return nil, err
				}
				y, err := doubles(out[0])
				if err != nil {
					return nil, err
				}
				side[k] = y[0]
			}
			values[i][j] = v
			numeric[j] = (side[0] - side[1]) / (2 * gradientStep)
		}
		wide[i] = tensors.FromFlatDataAndDimensions(values[i], at[i].Shape().Dimensions...)
		analytic, err := doubles(slopes[i])
		if err != nil {
			return nil, err
		}
		worst := 0.0
		for j := range numeric {
			size := math.Max(1, math.Max(math.Abs(numeric[j]), math.Abs(analytic[j])))
			if e := math.Abs(numeric[j]-analytic[j]) / size; e > worst || math.IsNaN(e) {
				worst = e
			}
		}
		r.Numeric = append(r.Numeric, tensors.FromFlatDataAndDimensions(numeric, at[i].Shape().Dimensions...))
		r.Errors = append(r.Errors, worst)
	}
	return r, nil
}

// doubles are a tensor's numbers as float64.
func doubles(t *tensors.Tensor) (out []float64, err error) {
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

// GradientCheck compares the gradients of the model's loss by its weights with what
// moving each of them a little changes, on a batch, in float64. Dropout and its like
// are off. It computes the loss twice for each weight.
func (m *Model) GradientCheck(x, labels *tensors.Tensor) (_ *GradientReport, err error) {
	defer edge(&err)
	lock.Lock()
	defer lock.Unlock()
	l, err := m.lossFor("check", x, labels)
	if err != nil {
		return nil, err
	}
	var names []string
	var trained []weight
	rest := make(map[*variable]*tensors.Tensor)
	for _, w := range m.weights {
		values, err := w.values()
		if err != nil {
			return nil, err
		}
		t := tensors.FromFlatDataAndDimensions(values, w.shape.Dimensions...)
		if w.trainable() {
			names, trained = append(names, w.name), append(trained, w)
		}
		rest[w.variable] = t
	}
	var at []*tensors.Tensor
	for _, w := range trained {
		at = append(at, rest[w.variable])
	}
	return checkGradient(func(in []*graph.Node) *graph.Node {
		g := in[0].Graph()
		nodes := make(map[*variable]*graph.Node)
		for i, w := range trained {
			nodes[w.variable] = in[i]
		}
		var weights []*graph.Node
		for _, w := range m.weights {
			n := nodes[w.variable]
			if n == nil {
				n = graph.ConvertDType(graph.ConstTensor(g, rest[w.variable]), dtypes.Float64)
			}
			weights = append(weights, n)
		}
		policy := m.policy
		m.policy = dtypes.InvalidDType
		defer func() { m.policy = policy }()
		f := m.forward(weights, []*graph.Node{graph.ConvertDType(graph.ConstTensor(g, x), dtypes.Float64)}, nil, false)
		loss := meanLoss(l.Compute(graph.ConstTensor(g, labels), f.values[m.outputs[0]]), nil, f.masks[m.outputs[0]])
		for _, extra := range m.penalties(f, dtypes.Float64) {
			loss = plus(loss, extra)
		}
		return loss
	}, names, at)
}
