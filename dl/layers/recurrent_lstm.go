package layers

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// lstm runs an LSTM; the gates are i, f, c̃ and o.
func (c *loopCell) lstm() (all *tensor.Node, last []*tensor.Node) {
	xt := graph.TransposeAllAxes(c.x, 1, 0, 2)
	cells := graph.Concatenate([]*tensor.Node{graph.InsertAxes(c.carry[1], 0), zeros(c.x, c.time, c.batch, c.units)}, 0)
	state := []*tensor.Node{c.withH(), zeros(c.x, c.time, c.batch, 4*c.units), cells, c.carry[0], c.carry[1]}
	out := ops.Loop(c.time, state, c.outer(c.bias(c.bx)), func(t *tensor.Node, s, o []*tensor.Node) []*tensor.Node {
		pre := graph.Add(graph.MatMul(c.seen(s[3], o[1:]), c.u), graph.MatMul(ops.At(xt, t), c.w))
		z := graph.Add(pre, o[0])
		gate := func(k int) *tensor.Node { return c.gate.ApplyInLoop(c.block(z, k)) }
		cell := graph.Add(graph.Mul(gate(1), s[4]), graph.Mul(gate(0), c.act.ApplyInLoop(c.block(z, 2))))
		cell = c.pick(t, cell, s[4])
		h := c.pick(t, graph.Mul(gate(3), c.act.ApplyInLoop(cell)), s[3])
		return []*tensor.Node{ops.PutAt(s[0], h, c.next(t), c.features), ops.Put(s[1], pre, t), ops.Put(s[2], cell, c.next(t)), h, cell}
	})
	xh := out[0]
	hs := graph.Slice(xh, graph.AxisRangeToEnd(1), graph.AxisRange(), graph.AxisRangeToEnd(c.features))
	r := ops.WithGradient([]*tensor.Node{hs, out[3], out[4]}, c.inputs(), func(d []*tensor.Node) []*tensor.Node {
		return c.lstmGradient(xh, out[1], out[2], d)
	})
	return r[0], r[1:]
}

// lstmGradient is the gradient by the inputs, where d is that by the outputs. xh are the inputs and
// states of all steps, pre the sums before the bias, cells the states c, from the first one on.
func (c *loopCell) lstmGradient(xh, pre, cells *tensor.Node, d []*tensor.Node) []*tensor.Node {
	z := graph.Add(pre, graph.InsertAxes(c.bias(c.bx), 0))
	i, f, o := c.gate.Apply(c.block(z, 0)), c.gate.Apply(c.block(z, 1)), c.gate.Apply(c.block(z, 3))
	candidate := c.act.Apply(c.block(z, 2))
	before, after := graph.Slice(cells, graph.AxisRange(0, c.time)), graph.Slice(cells, graph.AxisRangeToEnd(1))
	y := c.act.Apply(after)
	zero := graph.ZerosLike(y)
	// The gradients of the gates are these times that of c, or for o of h. The loop
	// writes them in their place.
	ks := []*tensor.Node{
		c.only(graph.Mul(candidate, c.gate.Slope(i)), zero),
		c.only(graph.Mul(before, c.gate.Slope(f)), zero),
		c.only(graph.Mul(i, c.act.Slope(candidate)), zero),
		c.only(graph.Mul(y, c.gate.Slope(o)), zero),
	}
	through := c.only(graph.Mul(o, c.act.Slope(y)), zero) // from h to c
	stays := c.only(f, graph.OnesLike(f))                 // from c to the c before
	ut := graph.Transpose(c.u, 0, 1)
	outer := c.outer(graph.OptimizationBarriers(through, stays)...)
	end := ops.Loop(c.time, append([]*tensor.Node{c.orZeros(d[1]), c.orZeros(d[2])}, ks...), outer, func(t *tensor.Node, s, o []*tensor.Node) []*tensor.Node {
		t = c.backwards(t)
		dh := back(s[0], d[0], t)
		dc := graph.Add(s[1], graph.Mul(dh, ops.At(o[0], t)))
		next := []*tensor.Node{nil, graph.Mul(dc, ops.At(o[1], t))}
		var before *tensor.Node
		for k := range 4 {
			by := dc
			if k == 3 {
				by = dh
			}
			dz := graph.Mul(ops.At(s[2+k], t), by)
			next = append(next, ops.Put(s[2+k], dz, t))
			// Four small products: XLA would split one of all gates among
			// threads, and take twice as long.
			before = ops.Plus(before, graph.MatMul(dz, graph.Slice(ut, graph.AxisRange(k*c.units, (k+1)*c.units))))
		}
		next[0] = c.pick(t, c.seen(before, o[2:]), dh)
		return next
	})
	dz := end[2:]
	x, h := c.operands(xh)
	var dw, du, db []*tensor.Node
	for _, g := range dz {
		if c.keep == nil { // both at once
			both := product(graph.Slice(xh, graph.AxisRange(0, c.time)), g)
			dw, du = append(dw, graph.Slice(both, graph.AxisRange(0, c.features))), append(du, graph.Slice(both, graph.AxisRangeToEnd(c.features)))
		} else {
			dw, du = append(dw, product(x, g)), append(du, product(h, g))
		}
		db = append(db, graph.ReduceSum(g, 0, 1))
	}
	return c.grads(c.byInput(graph.Concatenate(dz, 2)), graph.Concatenate(dw, 1), graph.Concatenate(du, 1), graph.Concatenate(db, 0), nil, end[0], end[1])
}
