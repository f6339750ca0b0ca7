package layers

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// The recurrences as loops, forwards and, for their gradients, backwards. A gradient
// is linear in what comes back from the step after, so all its factors, the slopes of
// the activations, are computed for all steps at once, outside the loop; the loop
// multiplies them in and goes back through U, and the gradients by W and U are one
// product each after it. What the loops read and write is laid out so that XLA's CPU
// compiler does not fuse slices into the gates, which would be slow.

// loopCell is what a recurrence as a loop is given.
type loopCell struct {
	x, w, u, bx, bh *tensor.Node   // x is [batch, time, features]; biases may be nil
	mask            *tensor.Node   // [time, batch, units] bool: true where a step counts; or nil
	keep            *tensor.Node   // [batch, units], by which h is multiplied before U; or nil
	carry           []*tensor.Node // at first
	act, gate       activations.Looped
	training        bool // a step, of which gradients are wanted
	sequences       bool // the outputs of all steps are wanted, and not only the last

	batch, time, features, units int
}

// inLoops says whether loops can be used: XLA has them whole, and the activations too.
func inLoops(g *graph.Graph, acts ...activations.Activation) bool {
	if !ops.HasLoops(g) {
		return false
	}
	for _, a := range acts {
		if _, ok := config.As[activations.Looped](a); !ok {
			return false
		}
	}
	return true
}

// bias is one that is zero if the layer has none.
func (c *loopCell) bias(b *tensor.Node) *tensor.Node {
	if b == nil {
		return zeros(c.x, 1, c.u.Shape().Dimensions[1])
	}
	return graph.InsertAxes(b, 0)
}

// seen is what U sees of h.
func (c *loopCell) seen(h *tensor.Node, keep []*tensor.Node) *tensor.Node {
	if c.keep == nil {
		return h
	}
	return graph.Mul(h, keep[0])
}

// outer adds what loops are handed only if it is there.
func (c *loopCell) outer(nodes ...*tensor.Node) []*tensor.Node {
	if c.keep != nil {
		nodes = append(nodes, c.keep)
	}
	return nodes
}

// pick is next where step t counts, else before.
func (c *loopCell) pick(t, next, before *tensor.Node) *tensor.Node {
	if c.mask == nil {
		return next
	}
	return graph.Where(ops.At(c.mask, t), next, before)
}

// only is v where steps count, else otherwise.
func (c *loopCell) only(v, otherwise *tensor.Node) *tensor.Node {
	if c.mask == nil {
		return v
	}
	return graph.Where(c.mask, v, otherwise)
}

// block is the kth block of units along the last axis.
func (c *loopCell) block(x *tensor.Node, k int) *tensor.Node {
	return graph.SliceAxis(x, -1, graph.AxisRange(k*c.units, (k+1)*c.units))
}

// orZeros is the gradient of a state at the end, which may not be asked for.
func (c *loopCell) orZeros(d *tensor.Node) *tensor.Node {
	if d == nil {
		return zeros(c.x, c.batch, c.units)
	}
	return d
}

// withH is [x_t, h_(t−1)] for all steps, with room for h: the operand of one product a
// step, and of the weights' gradient.
func (c *loopCell) withH() *tensor.Node {
	xt := graph.TransposeAllAxes(c.x, 1, 0, 2)
	x := graph.Concatenate([]*tensor.Node{xt, zeros(c.x, 1, c.batch, c.features)}, 0)
	h := graph.Concatenate([]*tensor.Node{graph.InsertAxes(c.carry[0], 0), zeros(c.x, c.time, c.batch, c.units)}, 0)
	return graph.Concatenate([]*tensor.Node{x, h}, 2)
}

// seenAll is what U sees of h in all steps.
func (c *loopCell) seenAll(h *tensor.Node) *tensor.Node {
	if c.keep == nil {
		return h
	}
	return graph.Mul(h, graph.InsertAxes(c.keep, 0))
}

// product is aᵀ·b over steps and batch. In this order of operands it is the fastest.
func product(a, b *tensor.Node) *tensor.Node {
	flat := func(x *tensor.Node) *tensor.Node {
		d := x.Shape().Dimensions
		return graph.Reshape(x, d[0]*d[1], d[2])
	}
	return graph.Transpose(graph.DotGeneral(flat(b), []int{0}, nil, flat(a), []int{0}, nil), 0, 1)
}

// byInput is the gradient by x of the gates' for all steps.
func (c *loopCell) byInput(dz *tensor.Node) *tensor.Node {
	return graph.TransposeAllAxes(matMul(dz, graph.Transpose(c.w, 0, 1)), 1, 0, 2)
}

// back reads the gradients that come back to step t: of its output, added to h's.
func back(dh, all, t *tensor.Node) *tensor.Node {
	if all == nil {
		return dh
	}
	return graph.Add(dh, ops.At(all, t))
}

// backwards counts down where a loop counts up.
func (c *loopCell) backwards(t *tensor.Node) *tensor.Node {
	return graph.Sub(graph.Const(t.Graph(), int32(c.time-1)), t)
}

func (c *loopCell) next(t *tensor.Node) *tensor.Node {
	return graph.Add(t, graph.Const(t.Graph(), int32(1)))
}

// inputs are the nodes that gradients go to, and grads their gradients, without those
// that are not there.
func (c *loopCell) inputs() []*tensor.Node {
	all := append([]*tensor.Node{c.x, c.w, c.u}, c.carry...)
	for _, b := range []*tensor.Node{c.bx, c.bh} {
		if b != nil {
			all = append(all, b)
		}
	}
	return all
}

func (c *loopCell) grads(dx, dw, du, dbx, dbh *tensor.Node, carry ...*tensor.Node) []*tensor.Node {
	all := append([]*tensor.Node{dx, dw, du}, carry...)
	if c.bx != nil {
		all = append(all, dbx)
	}
	if c.bh != nil {
		all = append(all, dbh)
	}
	return all
}

// simple runs a SimpleRNN: the states of all steps, [time, batch, units], and the last.
func (c *loopCell) simple() (all *tensor.Node, last []*tensor.Node) {
	wu := graph.Concatenate([]*tensor.Node{c.w, c.u}, 0)
	out := ops.Loop(c.time, []*tensor.Node{c.withH(), c.carry[0]}, c.outer(c.bias(c.bx)), func(t *tensor.Node, s, o []*tensor.Node) []*tensor.Node {
		xh := ops.At(s[0], t)
		if c.keep != nil {
			xh = graph.Concatenate([]*tensor.Node{graph.SliceAxis(xh, 1, graph.AxisRange(0, c.features)), c.seen(s[1], o[1:])}, 1)
		}
		h := c.pick(t, c.act.ApplyInLoop(graph.Add(graph.MatMul(xh, wu), o[0])), s[1])
		return []*tensor.Node{ops.PutAt(s[0], h, c.next(t), c.features), h}
	})
	xh := out[0]
	hs := graph.Slice(xh, graph.AxisRangeToEnd(1), graph.AxisRange(), graph.AxisRangeToEnd(c.features))
	r := ops.WithGradient([]*tensor.Node{hs, out[1]}, c.inputs(), func(d []*tensor.Node) []*tensor.Node {
		k := c.only(c.act.Slope(hs), graph.ZerosLike(hs))
		ut := graph.Transpose(c.u, 0, 1)
		end := ops.Loop(c.time, []*tensor.Node{c.orZeros(d[1]), zeros(c.x, c.time, c.batch, c.units)}, c.outer(), func(t *tensor.Node, s, o []*tensor.Node) []*tensor.Node {
			t = c.backwards(t)
			dh := back(s[0], d[0], t)
			dz := graph.Mul(dh, ops.At(k, t))
			before := c.pick(t, c.seen(graph.MatMul(dz, ut), o), dh)
			return []*tensor.Node{before, ops.Put(s[1], dz, t)}
		})
		dz := end[1]
		x, h := c.operands(xh)
		db := graph.ReduceSum(dz, 0, 1)
		return c.grads(c.byInput(dz), product(x, dz), product(h, dz), db, nil, end[0])
	})
	return r[0], r[1:]
}

// operands takes [x_t, h_(t−1)] of all steps apart.
func (c *loopCell) operands(xh *tensor.Node) (x, h *tensor.Node) {
	steps := graph.Slice(xh, graph.AxisRange(0, c.time))
	return graph.SliceAxis(steps, 2, graph.AxisRange(0, c.features)), c.seenAll(graph.SliceAxis(steps, 2, graph.AxisRangeToEnd(c.features)))
}

// gru runs a GRU that applies r behind U; the gates are z, r and h̃.
func (c *loopCell) gru() (all *tensor.Node, last []*tensor.Node) {
	xt := graph.TransposeAllAxes(c.x, 1, 0, 2)
	xz := graph.Add(matMul(xt, c.w), graph.InsertAxes(c.bias(c.bx), 0))
	bh := c.bias(c.bh)
	hidden := graph.Concatenate([]*tensor.Node{graph.InsertAxes(c.carry[0], 0), zeros(c.x, c.time, c.batch, c.units)}, 0)
	// The next row of xz is carried along: a slice that is read in the body would be
	// fused into the gates.
	state := []*tensor.Node{hidden, zeros(c.x, c.time, c.batch, 3*c.units), c.carry[0], graph.Squeeze(graph.Slice(xz, graph.AxisElem(0)), 0)}
	out := ops.Loop(c.time, state, c.outer(bh), func(t *tensor.Node, s, o []*tensor.Node) []*tensor.Node {
		before, x := s[2], s[3]
		pre := graph.MatMul(c.seen(before, o[1:]), c.u)
		h := graph.Add(pre, o[0])
		gate := func(k int) *tensor.Node { return c.gate.ApplyInLoop(graph.Add(c.block(x, k), c.block(h, k))) }
		candidate := c.act.ApplyInLoop(graph.Add(c.block(x, 2), graph.Mul(gate(1), c.block(h, 2))))
		now := graph.Add(candidate, graph.Mul(gate(0), graph.Sub(before, candidate)))
		now = c.pick(t, now, before)
		// The last start is beyond the end, and XLA moves it back.
		return []*tensor.Node{ops.Put(s[0], now, c.next(t)), ops.Put(s[1], pre, t), now, ops.At(xz, c.next(t))}
	})
	hs := graph.Slice(out[0], graph.AxisRangeToEnd(1))
	r := ops.WithGradient([]*tensor.Node{hs, out[2]}, c.inputs(), func(d []*tensor.Node) []*tensor.Node {
		before := graph.Slice(out[0], graph.AxisRange(0, c.time))
		hz := graph.Add(out[1], graph.InsertAxes(bh, 0))
		gate := func(k int) *tensor.Node { return c.gate.Apply(graph.Add(c.block(xz, k), c.block(hz, k))) }
		z, r, h := gate(0), gate(1), c.block(hz, 2)
		candidate := c.act.Apply(graph.Add(c.block(xz, 2), graph.Mul(r, h)))
		zero := graph.ZerosLike(before)
		kn := c.only(graph.Mul(graph.OneMinus(z), c.act.Slope(candidate)), zero)
		ks := []*tensor.Node{ // of h̃ for x, and of z, r and h̃ for h
			kn,
			c.only(graph.Mul(graph.Sub(before, candidate), c.gate.Slope(z)), zero),
			graph.Mul(graph.Mul(kn, h), c.gate.Slope(r)),
			graph.Mul(kn, r),
		}
		stays := c.only(z, graph.OnesLike(z))
		ut := graph.Transpose(c.u, 0, 1)
		end := ops.Loop(c.time, append([]*tensor.Node{c.orZeros(d[1])}, ks...), c.outer(stays), func(t *tensor.Node, s, o []*tensor.Node) []*tensor.Node {
			t = c.backwards(t)
			dh := back(s[0], d[0], t)
			next := []*tensor.Node{nil, ops.Put(s[1], graph.Mul(dh, ops.At(s[1], t)), t)}
			var through *tensor.Node
			for k := range 3 {
				dz := graph.Mul(ops.At(s[2+k], t), dh)
				next = append(next, ops.Put(s[2+k], dz, t))
				through = ops.Plus(through, graph.MatMul(dz, graph.Slice(ut, graph.AxisRange(k*c.units, (k+1)*c.units))))
			}
			next[0] = graph.Add(graph.Mul(dh, ops.At(o[0], t)), c.seen(through, o[1:]))
			return next
		})
		dzx, dzh := []*tensor.Node{end[2], end[3], end[1]}, end[2:5]
		var dw, du, dbx, dbh []*tensor.Node
		for k := range 3 {
			dw, du = append(dw, product(xt, dzx[k])), append(du, product(c.seenAll(before), dzh[k]))
			dbx, dbh = append(dbx, graph.ReduceSum(dzx[k], 0, 1)), append(dbh, graph.ReduceSum(dzh[k], 0, 1))
		}
		return c.grads(c.byInput(graph.Concatenate(dzx, 2)), graph.Concatenate(dw, 1), graph.Concatenate(du, 1), graph.Concatenate(dbx, 0), graph.Concatenate(dbh, 0), end[0])
	})
	return r[0], r[1:]
}

// zeros are made where the loop is, not in it.
func zeros(like *tensor.Node, dims ...int) *tensor.Node {
	return graph.Zeros(like.Graph(), shapes.Make(like.DType(), dims...))
}
