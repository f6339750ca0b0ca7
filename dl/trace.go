package dl

// LayerTrace is what one layer made of a batch, and what the loss says of it.
type LayerTrace struct {
	// Layer is the layer's name, Type its type.
	Layer, Type string
	// Output is the layer's activation, [batch, …], and OutputGradient the gradient
	// of the loss by it.
	Output, OutputGradient *Tensor
	// Weights are the layer's weights by name, and WeightGradients the gradients of
	// the loss by those that are trained.
	Weights, WeightGradients map[string]*Tensor
}

// TraceConfig says what belongs to a batch beside one input and its labels. Its zero value adds
// nothing.
type TraceConfig struct {
	// Inputs and Labels are those of further inputs and outputs of the model, in its order.
	Inputs, Labels []*Tensor
}

// Trace runs a batch forwards and backwards through the model, changes nothing, and
// returns the mean loss and what happened in each layer, in order: the numbers that
// backpropagation works with. The first is the input layer, whose gradient says what
// of the input matters. Dropout and its like are off. It is compiled once for each
// shape of a batch.
func (m *Model) Trace(x, labels *Tensor, config ...TraceConfig) (loss float64, traces []LayerTrace, err error) {
	c, err := the(config)
	if err != nil {
		return 0, nil, edge(err)
	}
	loss, all, err := m.m.Trace(append([]*Tensor{x}, c.Inputs...), append([]*Tensor{labels}, c.Labels...))
	for _, t := range all {
		traces = append(traces, LayerTrace(t))
	}
	return loss, traces, edge(err)
}
