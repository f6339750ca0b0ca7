package layers

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/internal/native"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// asKernel says whether kernels can run the recurrence: of the activations that LSTM has unless
// it is told otherwise, in float32, and of a number of units that fills vectors.
func (c *loopCell) asKernel() bool {
	lanes := native.For(c.x.Graph())
	return lanes > 0 && c.units%lanes == 0 && c.keep == nil && c.x.DType() == dtypes.Float32 &&
		activations.Activation(c.act) == activations.Tanh && activations.Activation(c.gate) == activations.Sigmoid
}

// counts is the mask as kernels take it, [time, batch] of 0 and 1.
func (c *loopCell) counts() *tensor.Node {
	return graph.ConvertDType(graph.Squeeze(graph.SliceAxis(c.mask, 2, graph.AxisElem(0)), 2), dtypes.Float32)
}

// lstmKernel is lstm by kernels: one call forward, and two or three for the gradients. Outside
// training it keeps nothing for them, and runs forward once more if they are asked for after all.
func (c *loopCell) lstmKernel() (all *tensor.Node, last []*tensor.Node) {
	f32 := func(dims ...int) shapes.Shape { return shapes.Make(dtypes.Float32, dims...) }
	states, steps, state := f32(c.time+1, c.batch, c.units), f32(c.time, c.batch, 4*c.units), f32(c.batch, c.units)
	in := []*tensor.Node{c.x, c.w, c.u, graph.Reshape(c.bias(c.bx), 4*c.units), c.carry[0], c.carry[1]}
	if c.mask != nil {
		in = append(in, c.counts())
	}
	forward := func() (hs, cs, gates *tensor.Node) {
		out := native.Call("lstm_forward", nil, in, states, states, steps)
		return out[0], out[1], out[2]
	}
	end := func(s *tensor.Node) *tensor.Node { return graph.Squeeze(graph.Slice(s, graph.AxisElem(c.time)), 0) }
	rest := func(s *tensor.Node) *tensor.Node { return graph.Slice(s, graph.AxisRangeToEnd(1)) }
	var hs, cs, gates *tensor.Node
	var out []*tensor.Node // all outputs, if they are wanted, and the last states
	if c.training {
		hs, cs, gates = forward()
		out = []*tensor.Node{rest(hs), end(hs), end(cs)}
	} else {
		made := []shapes.Shape{state, state}
		if c.sequences {
			made = append(made, states)
		}
		y := native.Call("lstm_infer", []int{boolInt(c.sequences)}, in, made...)
		out = []*tensor.Node{nil, y[0], y[1]}
		if c.sequences {
			out[0] = rest(y[2])
		} else {
			out[0] = graph.InsertAxes(y[0], 0)
		}
	}
	r := ops.WithGradient(out, c.inputs(), func(d []*tensor.Node) []*tensor.Node {
		if gates == nil {
			hs, cs, gates = forward()
			if d[0] != nil && !c.sequences {
				d[1], d[0] = sum(d[1], graph.Squeeze(d[0], 0)), nil
			}
		}
		in := []*tensor.Node{c.x, c.u, cs, gates, c.orZeros(d[1]), c.orZeros(d[2])}
		if d[0] != nil {
			in = append(in, d[0])
		}
		if c.mask != nil {
			in = append(in, c.counts())
		}
		back := native.Call("lstm_backward", []int{boolInt(d[0] != nil), boolInt(c.mask != nil)}, in, steps, state, state)
		dz := back[0]
		w := native.Call("lstm_weights", nil, []*tensor.Node{c.x, c.u, hs, dz}, c.w.Shape(), c.u.Shape(), f32(4*c.units))
		x := native.Call("lstm_input", nil, []*tensor.Node{c.x, c.u, c.w, dz}, c.x.Shape())
		return c.grads(x[0], w[0], w[1], w[2], nil, back[1], back[2])
	})
	return r[0], r[1:]
}
