package network

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/internal/pass"
)

// Flow is a network's way through a graph.
type Flow struct {
	Pass    *pass.Pass
	Nodes   map[*Variable]*graph.Node // the weights
	Updates map[*Variable]*graph.Node // what layers make of them
	Values  map[*Symbol]*graph.Node
	Masks   map[*Symbol]*graph.Node

	wide bool // layers compute in what they get, whatever their types
}

// Outputs are the values of a network's outputs.
func (f *Flow) Outputs(n *Network) []*graph.Node {
	out := make([]*graph.Node, len(n.Outputs))
	for i, s := range n.Outputs {
		out[i] = f.Values[s]
	}
	return out
}

// Forward runs inputs, [batch, …] each, through the network. weights are those of
// Network.Weights, random is the state of the random numbers.
func (n *Network) Forward(weights, in []*graph.Node, random *graph.Node, training bool) *Flow {
	return n.forward(&Flow{Pass: pass.New(training, random, n.Policy)}, weights, in)
}

// ForwardApart is Forward without training, in which the result of each layer is there, and can be derived by.
func (n *Network) ForwardApart(weights, in []*graph.Node, random *graph.Node) *Flow {
	return n.ForwardWatched(weights, in, random, nil)
}

// ForwardWatched is ForwardApart, in which watch sees what each layer gets.
func (n *Network) ForwardWatched(weights, in []*graph.Node, random *graph.Node, watch func(l *Layer, x []*graph.Node)) *Flow {
	p := pass.New(false, random, n.Policy)
	p.Apart = true
	if watch != nil {
		p.Watch = func(l any, x []*graph.Node) { watch(l.(*Layer), x) }
	}
	return n.forward(&Flow{Pass: p}, weights, in)
}

// ForwardTapped is Forward, in which tap is called for each layer instead of pass.Call, and the result of each is there.
func (n *Network) ForwardTapped(weights, in []*graph.Node, random *graph.Node, training bool, tap pass.Tap) *Flow {
	p := pass.New(training, random, n.Policy)
	p.Apart, p.Tap = true, tap
	return n.forward(&Flow{Pass: p}, weights, in)
}

// ForwardWide is Forward without training, in the type of the weights and inputs, whatever the
// policy says.
func (n *Network) ForwardWide(weights, in []*graph.Node, random *graph.Node) *Flow {
	return n.forward(&Flow{Pass: pass.New(false, random, dtypes.InvalidDType), wide: true}, weights, in)
}

func (n *Network) forward(f *Flow, weights, in []*graph.Node) *Flow {
	for _, x := range in { // of which it is not known who else needs them
		f.Pass.Share(x)
	}
	f.Nodes = make(map[*Variable]*graph.Node, len(weights))
	for i, w := range n.Weights {
		f.Nodes[w.Variable] = weights[i]
	}
	return n.run(f, in, nil)
}

// run goes through the network's layers.
func (n *Network) run(f *Flow, in, masks []*graph.Node) *Flow {
	f.Updates = make(map[*Variable]*graph.Node)
	f.Values, f.Masks = make(map[*Symbol]*graph.Node), make(map[*Symbol]*graph.Node)
	for i, s := range n.Inputs {
		f.Values[s] = in[i]
		if masks != nil {
			f.Masks[s] = masks[i]
		}
	}
	needed := n.needed()
	for i, s := range n.Inputs {
		if needed[s] != 1 {
			f.Pass.Share(in[i])
		}
	}
	for _, c := range n.Calls {
		if err := engine.Try(func() error { return f.call(c) }); err != nil {
			panic(fmt.Errorf("%s: %w", c.Layer, err))
		}
		for _, s := range c.Out {
			if needed[s] != 1 {
				f.Pass.Share(f.Values[s])
			}
		}
	}
	return f
}

// needed is how often each symbol is, by layers and as an output, which counts twice: who reads it is not known.
func (n *Network) needed() map[*Symbol]int {
	all := make(map[*Symbol]int)
	for _, c := range n.Calls {
		for _, s := range c.Needs() {
			all[s]++
		}
	}
	for _, s := range n.Outputs {
		all[s] += 2
	}
	return all
}

// call runs one layer.
func (f *Flow) call(c *Call) error {
	l := c.Layer
	byName := make(map[string]*graph.Node, len(l.Weights))
	for i, w := range l.Spec.Weights {
		v := l.Weights[i]
		byName[w.Name] = f.Nodes[v]
		if u, ok := f.Updates[v]; ok && v.Fixed { // of an earlier call of the layer
			byName[w.Name] = u
		}
	}
	var x, masks []*graph.Node
	for _, s := range c.In {
		x, masks = append(x, f.Values[s]), append(masks, f.Masks[s])
	}
	for i, m := range c.Masks {
		if m != nil {
			masks[i] = ops.Truth(f.Values[m])
		}
	}
	if !f.wide && f.Pass.DType == dtypes.InvalidDType && l.DType == dtypes.InvalidDType {
		x = inFloat32(x) // what a layer before it computes in 16 bits
	}
	if f.Pass.Watch != nil {
		f.Pass.Watch(l, x)
	}
	called := pass.Layer{Layer: l.Config, Spec: c.Spec, Name: l.Name, Trainable: l.Trainable, Weights: byName}
	if !f.wide {
		called.DType = l.DType
	}
	callLayer := pass.Tap(pass.Call)
	if f.Pass.Tap != nil && l.Nested() == nil {
		callLayer = f.Pass.Tap
	}
	out, mask, updates := callLayer(f.Pass, called, x, masks)
	for i, s := range c.Out {
		if err := wantRoom(out[i].Shape().Dimensions[0], s.Shape); err != nil {
			return err
		}
		f.Values[s] = out[i]
	}
	if mask != nil && c.Out[0].Shape != nil {
		f.Masks[c.Out[0]] = mask
	}
	for i, w := range l.Spec.Weights {
		if u, ok := updates[w.Name]; ok {
			f.Updates[l.Weights[i]] = u
		}
	}
	return nil
}

// inFloat32 widens numbers of 16 bits, as Keras does for each layer whose type is float32.
func inFloat32(x []*graph.Node) []*graph.Node {
	for i, n := range x {
		if n.DType().IsFloat() && n.DType().Size() < 4 {
			x[i] = graph.ConvertDType(n, dtypes.Float32)
		}
	}
	return x
}

// Carried are the next values of what stateful layers carry from batch to batch.
func (n *Network) Carried(f *Flow) (all []*graph.Node) {
	for _, w := range n.Weights {
		if !w.State {
			continue
		}
		next := f.Nodes[w.Variable]
		if u, ok := f.Updates[w.Variable]; ok {
			next = u
		}
		all = append(all, next)
	}
	return all
}
