package train

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/fault"
	"github.com/gradbook/gradbook/dl/internal/network"
)

// LayerTrace is what one layer made of a batch; the fields are those of dl.LayerTrace.
type LayerTrace struct {
	Layer, Type              string
	Output, OutputGradient   *tensors.Tensor
	Weights, WeightGradients map[string]*tensors.Tensor
}

// Trace runs a batch forwards and backwards, and returns the mean loss and what happened in
// each layer.
func (m *Model) Trace(x, labels []*tensors.Tensor) (loss float64, all []LayerTrace, err error) {
	m.Lock.Lock()
	defer m.Lock.Unlock()
	if err := m.traceable("trace", x, labels); err != nil {
		return 0, nil, err
	}
	d, err := device.Current()
	if err != nil {
		return 0, nil, err
	}
	values, err := network.Read(m.Weights)
	if err != nil {
		return 0, nil, err
	}
	symbols := slices.Clone(m.Inputs)
	var called []*network.Layer
	for _, s := range m.Inputs {
		called = append(called, s.From.Layer)
	}
	for _, c := range m.Calls {
		symbols, called = append(symbols, c.Out[0]), append(called, c.Layer)
	}
	in := slices.Concat(x, labels, values)
	program, err := m.tracer(d, symbols, in, len(labels))
	if err != nil {
		return 0, nil, err
	}
	out, err := program.Call(in)
	if err != nil {
		return 0, nil, err
	}
	mean, err := Doubles(out[0])
	if err != nil {
		return 0, nil, err
	}
	n := len(symbols)
	outputs, slopes, weightSlopes := out[1:1+n], out[1+n:1+2*n], out[1+2*n:]
	at := make(map[*network.Variable]int)
	for i, w := range m.Weights {
		at[w.Variable] = i
	}
	for i, l := range called {
		t := LayerTrace{
			Layer: l.Name, Type: l.Type(), Output: outputs[i], OutputGradient: slopes[i],
			Weights: make(map[string]*tensors.Tensor), WeightGradients: make(map[string]*tensors.Tensor),
		}
		for _, w := range l.Kept() {
			t.Weights[w.Name] = values[at[w.Variable]]
			if w.Trainable() {
				t.WeightGradients[w.Name] = weightSlopes[at[w.Variable]]
			}
		}
		all = append(all, t)
	}
	return mean[0], all, nil
}

// fixedRandom is the state of random numbers that are the same each time, for what looks into a
// model without training it.
func fixedRandom(g *graph.Graph) *graph.Node {
	return graph.Const(g, []uint64{0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb})
}

// tracer returns the program that traces the symbols for arguments like these: a batch's
// inputs, so many labels, and the weights. It is compiled the first time.
func (m *Model) tracer(d *device.Device, symbols []*network.Symbol, like []*tensors.Tensor, labels int) (*engine.Program, error) {
	inputs := len(m.Inputs)
	key := programKey{kind: trace, on: d, trained: m.trainedKey()}
	for _, t := range like[:inputs+labels] {
		key.columns += t.Shape().String()
	}
	if found := m.programs[key]; found != nil {
		return found, nil
	}
	program, err := engine.Function(d, func(in []*graph.Node) []*graph.Node {
		x, y, weights := in[:inputs], in[inputs:inputs+labels], in[inputs+labels:]
		wide := make([]*graph.Node, len(x))
		for i := range x {
			wide[i] = graph.ConvertDType(x[i], dtypes.Float32)
		}
		f := m.ForwardApart(weights, wide, fixedRandom(in[0].Graph()))
		loss, _ := m.Measure(f, y, nil)
		nodes := []*graph.Node{loss}
		var by []*graph.Node
		for _, s := range symbols {
			by = append(by, f.Values[s])
		}
		nodes = append(nodes, by...)
		return append(nodes, graph.Gradient(loss, append(by, weights...)...)...)
	}, like)
	if err != nil {
		return nil, err
	}
	m.keep(key, program)
	return program, nil
}

// traceable reports what does not fit to look into a model on a batch; what says how.
func (m *Model) traceable(what string, x, labels []*tensors.Tensor) error {
	if m.Inputs == nil {
		return &fault.NotBuiltError{Model: m.Name}
	}
	if m.compiled == nil {
		return &fault.NotCompiledError{Model: m.Name, Doing: what}
	}
	if m.compiled.Step != nil {
		return fmt.Errorf("expected a model that is compiled with a Loss to %s, got one with a Step of its own", what)
	}
	trained := m.trained()
	if len(x) != len(m.Inputs) || len(labels) != len(trained) {
		return fmt.Errorf("expected %d inputs and %d labels to %s, got %d and %d", len(m.Inputs), len(trained), what, len(x), len(labels))
	}
	for i, in := range m.Inputs {
		if x[i] == nil {
			return fmt.Errorf("expected a batch of inputs and labels to %s, got nil", what)
		}
		if got := x[i].Shape().Dimensions; len(got) == 0 || !in.Shape.Equal(got[1:]) {
			taker := m.Taker(in)
			return &fault.ShapeError{
				Layer: taker.Name, Expected: in.Shape, Got: got[min(1, len(got)):],
				Text: fmt.Sprintf("%s: expected input of shape %v, got %v", taker, in.Shape, x[i].Shape()),
			}
		}
	}
	names := m.OutputNames()
	batch := x[0].Shape().Dimensions[0]
	for i := range x {
		if n := x[i].Shape().Dimensions[0]; n != batch {
			return fmt.Errorf("expected inputs of one batch to %s, got %d and %d examples", what, batch, n)
		}
	}
	for i, o := range trained {
		switch {
		case labels[i] == nil:
			return fmt.Errorf("expected a batch of inputs and labels to %s, got nil", what)
		case labels[i].Rank() == 0:
			return fmt.Errorf("expected labels of a batch to %s, got %v", what, labels[i].Shape())
		case labels[i].Shape().Dimensions[0] != batch:
			return fmt.Errorf("expected a label for each of %d inputs to %s, got %d labels", batch, what, labels[i].Shape().Dimensions[0])
		}
		if err := m.compiled.lossOf(names[o]).Check(labels[i].Shape().Dimensions[1:], m.Outputs[o].Shape); err != nil {
			return err
		}
	}
	return nil
}
