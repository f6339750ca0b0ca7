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
	return c.fills(1) && activations.Activation(c.gate) == activations.Sigmoid
}

// asSimpleKernel is asKernel of a SimpleRNN, whose kernels take four vectors of units at a time.
func (c *loopCell) asSimpleKernel() bool { return c.fills(4) }

// fills is what all kernels want, of units that fill so many vectors at a time.
func (c *loopCell) fills(vectors int) bool {
	lanes := native.For(c.x.Graph())
	return lanes > 0 && c.units%(vectors*lanes) == 0 && c.keep == nil && c.x.DType() == dtypes.Float32 && c.x.Shape().Size() > 0 &&
		activations.Activation(c.act) == activations.Tanh
}

// counts is the mask as kernels take it, [time, batch] of 0 and 1.
func (c *loopCell) counts() *tensor.Node {
	return graph.ConvertDType(graph.Squeeze(graph.SliceAxis(c.mask, 2, graph.AxisElem(0)), 2), dtypes.Float32)
}

func f32(dims ...int) shapes.Shape { return shapes.Make(dtypes.Float32, dims...) }

// kernel is a recurrence by kernels: one call forward, and two or three for the gradients.
// Outside training nothing is kept for them, and it runs forward once more if they are asked for
// after all.
type kernel struct {
	*loopCell
	name string
	in   []*tensor.Node // of the call forward
	// kept are what it returns for the gradients behind all h: cells, and gates.
	kept []shapes.Shape
	// back returns the gradients by loopCell.inputs, of those by the states at the end, and by
	// all outputs, which may be nil.
	back func(hs *tensor.Node, kept, last []*tensor.Node, all *tensor.Node) []*tensor.Node
}

// run returns the outputs of all steps, or of the last if no more is wanted, and the last states.
func (k kernel) run() (all *tensor.Node, last []*tensor.Node) {
	states := f32(k.time+1, k.batch, k.units)
	if k.mask != nil {
		k.in = append(k.in, k.counts())
	}
	forward := func() (hs *tensor.Node, kept []*tensor.Node) {
		out := native.Call(k.name+"_forward", nil, k.in, append([]shapes.Shape{states}, k.kept...)...)
		return out[0], out[1:]
	}
	end := func(s *tensor.Node) *tensor.Node { return graph.Squeeze(graph.Slice(s, graph.AxisElem(k.time)), 0) }
	rest := func(s *tensor.Node) *tensor.Node { return graph.Slice(s, graph.AxisRangeToEnd(1)) }
	var hs *tensor.Node
	var kept, out []*tensor.Node
	if k.training {
		hs, kept = forward()
		out = []*tensor.Node{rest(hs), end(hs)}
		for _, cells := range kept[:len(k.carry)-1] {
			out = append(out, end(cells))
		}
	} else {
		made := make([]shapes.Shape, len(k.carry))
		for i := range made {
			made[i] = f32(k.batch, k.units)
		}
		if k.sequences {
			made = append(made, states)
		}
		y := native.Call(k.name+"_infer", []int{boolInt(k.sequences)}, k.in, made...)
		out = append([]*tensor.Node{graph.InsertAxes(y[0], 0)}, y[:len(k.carry)]...)
		if k.sequences {
			out[0] = rest(y[len(k.carry)])
		}
	}
	r := ops.WithGradient(out, k.inputs(), func(d []*tensor.Node) []*tensor.Node {
		if hs == nil {
			hs, kept = forward()
			if d[0] != nil && !k.sequences {
				d[1], d[0] = ops.Plus(d[1], graph.Squeeze(d[0], 0)), nil
			}
		}
		last := make([]*tensor.Node, len(k.carry))
		for i := range last {
			last[i] = k.orZeros(d[1+i])
		}
		return k.back(hs, kept, last, d[0])
	})
	return r[0], r[1:]
}

// behind adds what a gradient's call takes if it is there, and its settings say so.
func (k kernel) behind(in []*tensor.Node, all *tensor.Node) ([]int, []*tensor.Node) {
	if all != nil {
		in = append(in, all)
	}
	if k.mask != nil {
		in = append(in, k.counts())
	}
	return []int{boolInt(all != nil), boolInt(k.mask != nil)}, in
}

// lstmKernel is lstm by kernels.
func (c *loopCell) lstmKernel() (all *tensor.Node, last []*tensor.Node) {
	steps, state := f32(c.time, c.batch, 4*c.units), f32(c.batch, c.units)
	k := kernel{loopCell: c, name: "lstm", kept: []shapes.Shape{f32(c.time+1, c.batch, c.units), steps}}
	k.in = []*tensor.Node{c.x, c.w, c.u, graph.Reshape(c.bias(c.bx), 4*c.units), c.carry[0], c.carry[1]}
	k.back = func(hs *tensor.Node, kept, last []*tensor.Node, all *tensor.Node) []*tensor.Node {
		settings, in := k.behind([]*tensor.Node{c.x, c.u, kept[0], kept[1], last[0], last[1]}, all)
		back := native.Call("lstm_backward", settings, in, steps, state, state)
		w := native.Call("lstm_weights", nil, []*tensor.Node{c.x, c.u, hs, back[0]}, c.w.Shape(), c.u.Shape(), f32(4*c.units))
		x := native.Call("lstm_input", nil, []*tensor.Node{c.x, c.u, c.w, back[0]}, c.x.Shape())
		return c.grads(x[0], w[0], w[1], w[2], nil, back[1], back[2])
	}
	return k.run()
}

// gruKernel is gru by kernels.
func (c *loopCell) gruKernel() (all *tensor.Node, last []*tensor.Node) {
	steps, state, bias := f32(c.time, c.batch, 4*c.units), f32(c.batch, c.units), f32(3*c.units)
	k := kernel{loopCell: c, name: "gru", kept: []shapes.Shape{steps}}
	k.in = []*tensor.Node{c.x, c.w, c.u, graph.Reshape(c.bias(c.bx), 3*c.units), graph.Reshape(c.bias(c.bh), 3*c.units), c.carry[0]}
	k.back = func(hs *tensor.Node, kept, last []*tensor.Node, all *tensor.Node) []*tensor.Node {
		settings, in := k.behind([]*tensor.Node{c.x, c.u, hs, kept[0], last[0]}, all)
		back := native.Call("gru_backward", settings, in, steps, state)
		w := native.Call("gru_weights", nil, []*tensor.Node{c.x, c.u, hs, back[0]}, c.w.Shape(), c.u.Shape(), bias, bias)
		x := native.Call("gru_input", nil, []*tensor.Node{c.x, c.u, c.w, back[0]}, c.x.Shape())
		return c.grads(x[0], w[0], w[1], w[2], w[3], back[1])
	}
	return k.run()
}

// simpleKernel is simple by kernels.
func (c *loopCell) simpleKernel() (all *tensor.Node, last []*tensor.Node) {
	steps, state := f32(c.time, c.batch, c.units), f32(c.batch, c.units)
	k := kernel{loopCell: c, name: "simple"}
	k.in = []*tensor.Node{c.x, c.w, c.u, graph.Reshape(c.bias(c.bx), c.units), c.carry[0]}
	k.back = func(hs *tensor.Node, _, last []*tensor.Node, all *tensor.Node) []*tensor.Node {
		settings, in := k.behind([]*tensor.Node{c.x, c.u, hs, last[0]}, all)
		back := native.Call("simple_backward", settings, in, steps, state)
		w := native.Call("simple_weights", nil, []*tensor.Node{c.x, c.u, hs, back[0]}, c.w.Shape(), c.u.Shape(), f32(c.units))
		x := native.Call("simple_input", nil, []*tensor.Node{c.x, c.u, c.w, back[0]}, c.x.Shape())
		return c.grads(x[0], w[0], w[1], w[2], nil, back[1])
	}
	return k.run()
}
