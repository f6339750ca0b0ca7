package dl

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
)

// Gradient returns the value of a function of tensors, and its gradient by each of
// them: what Keras users get from a GradientTape. The function adds itself to a graph
// and must return a scalar.
//
//	x := tensors.FromValue([]float32{1, 2, 3})
//	y, dx, err := dl.Gradient(func(x []*graph.Node) *graph.Node {
//		return graph.ReduceAllSum(graph.Square(x[0]))
//	}, x) // 14 and [2 4 6]
func Gradient(f func(x []*graph.Node) *graph.Node, at ...*tensors.Tensor) (value *tensors.Tensor, gradients []*tensors.Tensor, err error) {
	defer edge(&err)
	d, err := device.Current()
	if err != nil {
		return nil, nil, err
	}
	out, err := runOnce(d, func(in []*graph.Node) []*graph.Node {
		y := scalarOf(f, in)
		return append([]*graph.Node{y}, graph.Gradient(y, in...)...)
	}, at)
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1:], nil
}

func scalarOf(f func(x []*graph.Node) *graph.Node, in []*graph.Node) *graph.Node {
	y := f(in)
	if y == nil || !y.IsScalar() {
		panic(fmt.Errorf("expected a function that returns a scalar, got %v; a sum or a mean makes one", y))
	}
	return y
}

// runOnce runs a graph once.
func runOnce(d *device.Device, build func(in []*graph.Node) []*graph.Node, in []*tensors.Tensor) ([]*tensors.Tensor, error) {
	run, err := prepared(d, build, in)
	if err != nil {
		return nil, err
	}
	return run(in)
}

// prepared compiles a graph for tensors like these.
func prepared(d *device.Device, build func(in []*graph.Node) []*graph.Node, like []*tensors.Tensor) (func(in []*tensors.Tensor) ([]*tensors.Tensor, error), error) {
	var params []engine.Param
	for i, x := range like {
		if x == nil {
			return nil, fmt.Errorf("expected a tensor as argument %d, got nil", i)
		}
		params = append(params, engine.Param{Name: fmt.Sprintf("x%d", i), Shape: x.Shape()})
	}
	p, err := engine.Compile(d, "function", params, build)
	if err != nil {
		return nil, err
	}
	return func(in []*tensors.Tensor) (out []*tensors.Tensor, err error) {
		var buffers []compute.Buffer
		for i, x := range in {
			var b compute.Buffer
			if e := x.ConstFlatData(func(flat any) { b, err = engine.Upload(d, flat, params[i].Shape) }); e != nil {
				err = e
			}
			if err != nil {
				return nil, err
			}
			buffers = append(buffers, b)
		}
		defer engine.Free(buffers...)
		results, err := p.Run(buffers)
		if err != nil {
			return nil, err
		}
		for _, b := range results {
			t, err := engine.Tensor(b)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
		return out, nil
	}, nil
}

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
	run, err := prepared(d, func(in []*graph.Node) []*graph.Node { return []*graph.Node{scalarOf(f, in)} }, wide)
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
				out, err := run(wide)
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
	if m.inputs == nil {
		return nil, errNotBuilt
	}
	if m.compiled == nil || m.compiled.Loss == nil || len(m.outputs) != 1 {
		return nil, errors.New("expected a model of one output that is compiled with a Loss to check")
	}
	if err := m.compiled.Loss.Check(labels.Shape().Dimensions[1:], m.outputs[0].shape); err != nil {
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
		loss := meanLoss(m.compiled.Loss.Compute(graph.ConstTensor(g, labels), f.values[m.outputs[0]]), nil, f.masks[m.outputs[0]])
		for _, w := range m.weights {
			if w.regularizer != nil && w.trainable() {
				loss = graph.Add(loss, w.regularizer.Cost(f.nodes[w.variable]))
			}
		}
		return loss
	}, names, at)
}

// LayerTrace is what one layer made of a batch, and what the loss says of it.
type LayerTrace struct {
	// Layer is the layer's name, Type its type.
	Layer, Type string
	// Output is the layer's activation, [batch, …], and OutputGradient the gradient
	// of the loss by it.
	Output, OutputGradient *tensors.Tensor
	// Weights are the layer's weights by name, and WeightGradients the gradients of
	// the loss by those that are trained.
	Weights, WeightGradients map[string]*tensors.Tensor
}

// Trace runs a batch forwards and backwards through the model, changes nothing, and
// returns the mean loss and what happened in each layer, in order: the numbers that
// backpropagation works with. Dropout and its like are off.
func (m *Model) Trace(x, labels *tensors.Tensor) (loss float64, _ []LayerTrace, err error) {
	defer edge(&err)
	lock.Lock()
	defer lock.Unlock()
	if m.inputs == nil {
		return 0, nil, errNotBuilt
	}
	if m.compiled == nil || len(m.inputs) != 1 || len(m.outputs) != 1 || m.compiled.lossOf(m.outputNames()[0]) == nil {
		return 0, nil, errors.New("expected a model of one input and one output that is compiled with a Loss to trace")
	}
	if x == nil || labels == nil {
		return 0, nil, errors.New("expected a batch of inputs and labels to trace, got nil")
	}
	if got := x.Shape().Dimensions; len(got) == 0 || !m.inputs[0].shape.Equal(got[1:]) {
		return 0, nil, fmt.Errorf("%s: expected input of shape %v, got %v", m.taker(m.inputs[0]), m.inputs[0].shape, x.Shape())
	}
	if err := m.compiled.lossOf(m.outputNames()[0]).Check(labels.Shape().Dimensions[1:], m.outputs[0].shape); err != nil {
		return 0, nil, err
	}
	d, err := device.Current()
	if err != nil {
		return 0, nil, err
	}
	in := []*tensors.Tensor{x, labels}
	values, err := read(m.weights)
	if err != nil {
		return 0, nil, err
	}
	var symbols []*Symbol
	for _, c := range m.calls {
		symbols = append(symbols, c.out[0])
	}
	out, err := runOnce(d, func(in []*graph.Node) []*graph.Node {
		weights := in[2:]
		f := m.forward(weights, []*graph.Node{graph.ConvertDType(in[0], dtypes.Float32)}, nil, false)
		loss, _ := m.measure(f, []*graph.Node{in[1]}, nil)
		nodes := []*graph.Node{loss}
		var by []*graph.Node
		for _, s := range symbols {
			by = append(by, f.values[s])
		}
		nodes = append(nodes, by...)
		return append(nodes, graph.Gradient(loss, append(by, weights...)...)...)
	}, append(in, values...))
	if err != nil {
		return 0, nil, err
	}
	l, err := doubles(out[0])
	if err != nil {
		return 0, nil, err
	}
	n := len(symbols)
	outputs, slopes, weightSlopes := out[1:1+n], out[1+n:1+2*n], out[1+2*n:]
	at := make(map[*variable]int)
	for i, w := range m.weights {
		at[w.variable] = i
	}
	var all []LayerTrace
	for i, c := range m.calls {
		t := LayerTrace{
			Layer: c.layer.name, Type: c.layer.Type(), Output: outputs[i], OutputGradient: slopes[i],
			Weights: make(map[string]*tensors.Tensor), WeightGradients: make(map[string]*tensors.Tensor),
		}
		for _, w := range c.layer.kept() {
			t.Weights[w.name] = values[at[w.variable]]
			if w.trainable() {
				t.WeightGradients[w.name] = weightSlopes[at[w.variable]]
			}
		}
		all = append(all, t)
	}
	return l[0], all, nil
}
