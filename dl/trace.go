package dl

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/losses"
)

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
// backpropagation works with. The first is the input layer, whose gradient says what
// of the input matters. Dropout and its like are off. It is compiled once for each
// shape of a batch.
func (m *Model) Trace(x, labels *tensors.Tensor) (loss float64, _ []LayerTrace, err error) {
	defer edge(&err)
	lock.Lock()
	defer lock.Unlock()
	if _, err := m.lossFor("trace", x, labels); err != nil {
		return 0, nil, err
	}
	d, err := device.Current()
	if err != nil {
		return 0, nil, err
	}
	values, err := read(m.weights)
	if err != nil {
		return 0, nil, err
	}
	symbols, called := []*Symbol{m.inputs[0]}, []*Layer{m.inputs[0].from.layer}
	for _, c := range m.calls {
		symbols, called = append(symbols, c.out[0]), append(called, c.layer)
	}
	in := append([]*tensors.Tensor{x, labels}, values...)
	program, err := m.tracer(d, symbols, in)
	if err != nil {
		return 0, nil, err
	}
	out, err := program.Call(in)
	if err != nil {
		return 0, nil, err
	}
	mean, err := doubles(out[0])
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
	for i, l := range called {
		t := LayerTrace{
			Layer: l.name, Type: l.Type(), Output: outputs[i], OutputGradient: slopes[i],
			Weights: make(map[string]*tensors.Tensor), WeightGradients: make(map[string]*tensors.Tensor),
		}
		for _, w := range l.kept() {
			t.Weights[w.name] = values[at[w.variable]]
			if w.trainable() {
				t.WeightGradients[w.name] = weightSlopes[at[w.variable]]
			}
		}
		all = append(all, t)
	}
	return mean[0], all, nil
}

// tracer returns the program that traces the symbols for arguments like these: a batch's
// inputs, its labels and the weights. It is compiled the first time.
func (m *Model) tracer(d *device.Device, symbols []*Symbol, like []*tensors.Tensor) (*engine.Program, error) {
	key := programKey{kind: trace, on: d, columns: like[0].Shape().String() + like[1].Shape().String(), trained: m.trainedKey()}
	if found := m.programs[key]; found != nil {
		return found, nil
	}
	program, err := engine.Function(d, func(in []*graph.Node) []*graph.Node {
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
	}, like)
	if err != nil {
		return nil, err
	}
	m.keep(key, program)
	return program, nil
}

// lossFor returns the loss of a model with one, and reports what does not fit to look
// into it on a batch; what says how.
func (m *Model) lossFor(what string, x, labels *tensors.Tensor) (losses.Loss, error) {
	if m.inputs == nil {
		return nil, errNotBuilt
	}
	if m.compiled == nil || len(m.inputs) != 1 || len(m.outputs) != 1 || m.compiled.lossOf(m.outputNames()[0]) == nil {
		return nil, fmt.Errorf("expected a model of one input and one output that is compiled with a Loss to %s", what)
	}
	if x == nil || labels == nil {
		return nil, fmt.Errorf("expected a batch of inputs and labels to %s, got nil", what)
	}
	if got := x.Shape().Dimensions; len(got) == 0 || !m.inputs[0].shape.Equal(got[1:]) {
		return nil, fmt.Errorf("%s: expected input of shape %v, got %v", m.taker(m.inputs[0]), m.inputs[0].shape, x.Shape())
	}
	if labels.Rank() == 0 {
		return nil, fmt.Errorf("expected labels of a batch to %s, got %v", what, labels.Shape())
	}
	l := m.compiled.lossOf(m.outputNames()[0])
	return l, l.Check(labels.Shape().Dimensions[1:], m.outputs[0].shape)
}
