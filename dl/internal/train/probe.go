package train

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/fault"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/pass"
)

// A Probe runs a network forwards, without training, with what else is computed of it. It has
// the weights that the model has when it is made.
type Probe struct {
	model   *Model
	device  *device.Device
	weights []*tensors.Tensor
	tap     func(x, extra []*graph.Node) pass.Tap
	build   func(f *network.Flow, x, extra []*graph.Node) []*graph.Node
	program *engine.Program
	shape   string
}

// Probe makes one. What tap makes, if it is not nil, is called for each layer instead of
// pass.Call; build says what is computed. Both know the inputs and the tensors beside them.
func (m *Model) Probe(tap func(x, extra []*graph.Node) pass.Tap, build func(f *network.Flow, x, extra []*graph.Node) []*graph.Node) (*Probe, error) {
	m.Lock.Lock()
	defer m.Lock.Unlock()
	if m.Inputs == nil {
		return nil, &fault.NotBuiltError{Model: m.Name}
	}
	d, err := device.Current()
	if err != nil {
		return nil, err
	}
	weights, err := network.Read(m.Weights)
	return &Probe{model: m, device: d, weights: weights, tap: tap, build: build}, err
}

// Call runs it. Inputs are [batch, …] each.
func (p *Probe) Call(x []*tensors.Tensor, extra ...*tensors.Tensor) ([]*tensors.Tensor, error) {
	in := append(append(append([]*tensors.Tensor{}, x...), extra...), p.weights...)
	shape := ""
	for _, t := range in {
		shape += t.Shape().String()
	}
	if p.program == nil || p.shape != shape {
		program, err := engine.Function(p.device, func(in []*graph.Node) []*graph.Node {
			x, extra, weights := in[:len(x)], in[len(x):len(x)+len(extra)], in[len(x)+len(extra):]
			random := fixedRandom(in[0].Graph())
			if p.tap == nil {
				return p.build(p.model.ForwardApart(weights, x, random), x, extra)
			}
			return p.build(p.model.ForwardTapped(weights, x, random, false, p.tap(x, extra)), x, extra)
		}, in)
		if err != nil {
			return nil, fmt.Errorf("model %q: %w", p.model.Name, err)
		}
		p.program, p.shape = program, shape
	}
	return p.program.Call(in)
}
