package layers

import (
	"slices"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// recurrent is what all of them have in common.
type recurrent struct {
	carrying
	units, gates, states      int   // states: how many, each of units
	biases                    Shape // nil without
	kernel, recurrent, bias   initializers.Initializer
	reg                       regularization
	recurrentRegularizer      regularizers.Regularizer
	recurrentConstraint       constraints.Constraint
	dropout, recurrentDropout float64
	zeroForMask               bool
	act, gate                 activations.Activation
	// looped runs the cell as a loop, kernels by kernels of our own; nil if there is none for it.
	looped, kernels func(*loopCell) (all *tensor.Node, last []*tensor.Node)
	asKernel        func(*loopCell) bool // whether kernels can
	// from computes the next states from the parts of the gates that come of x
	// and of h, both with their biases.
	from func(x, h *tensor.Node, carry []*tensor.Node) []*tensor.Node
	// whole computes a step in which U is applied within, from what it sees of h
	// and the states; nil if from does.
	whole func(x *tensor.Node, seen []*tensor.Node, u *tensor.Node) []*tensor.Node
}

func orActivation(a, def activations.Activation) activations.Activation {
	if a == nil {
		return def
	}
	return a
}

func (l SimpleRNN) cell() recurrent {
	act := orActivation(l.Activation, activations.Tanh)
	r := recurrent{
		units: l.Units, gates: 1, states: 1, kernel: l.KernelInitializer, recurrent: l.RecurrentInitializer, bias: l.BiasInitializer,
		reg:                  regularization{l.KernelRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.KernelConstraint, l.BiasConstraint},
		recurrentRegularizer: l.RecurrentRegularizer, recurrentConstraint: l.RecurrentConstraint,
		dropout: l.Dropout, recurrentDropout: l.RecurrentDropout,
		carrying:    carrying{l.ReturnSequences, l.ReturnState, l.GoBackwards, l.Stateful},
		zeroForMask: l.ZeroOutputForMask,
		act:         act, gate: activations.Linear, looped: (*loopCell).simple, kernels: (*loopCell).simpleKernel, asKernel: (*loopCell).asSimpleKernel,
		from: func(x, h *tensor.Node, _ []*tensor.Node) []*tensor.Node {
			return []*tensor.Node{act.Apply(graph.Add(x, h))}
		},
	}
	if !l.NoBias {
		r.biases = Shape{l.Units}
	}
	return r
}

func (l LSTM) cell() recurrent {
	act, gate := orActivation(l.Activation, activations.Tanh), orActivation(l.RecurrentActivation, activations.Sigmoid)
	r := recurrent{
		units: l.Units, gates: 4, states: 2, kernel: l.KernelInitializer, recurrent: l.RecurrentInitializer, bias: l.BiasInitializer,
		reg:                  regularization{l.KernelRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.KernelConstraint, l.BiasConstraint},
		recurrentRegularizer: l.RecurrentRegularizer, recurrentConstraint: l.RecurrentConstraint,
		dropout: l.Dropout, recurrentDropout: l.RecurrentDropout,
		carrying:    carrying{l.ReturnSequences, l.ReturnState, l.GoBackwards, l.Stateful},
		zeroForMask: l.ZeroOutputForMask,
		act:         act, gate: gate, looped: (*loopCell).lstm, kernels: (*loopCell).lstmKernel, asKernel: (*loopCell).asKernel,
		from: func(x, h *tensor.Node, carry []*tensor.Node) []*tensor.Node {
			z := parts(graph.Add(x, h), 4)
			i, f, o := gate.Apply(z[0]), gate.Apply(z[1]), gate.Apply(z[3])
			c := graph.Add(graph.Mul(f, carry[1]), graph.Mul(i, act.Apply(z[2])))
			return []*tensor.Node{graph.Mul(o, act.Apply(c)), c}
		},
	}
	if !l.NoBias {
		r.biases = Shape{4 * l.Units}
		if !l.NoUnitForgetBias {
			r.bias = forgetBias{orInitializer(l.BiasInitializer, initializers.Zeros{})}
		}
	}
	return r
}

func (l GRU) cell() recurrent {
	act, gate := orActivation(l.Activation, activations.Tanh), orActivation(l.RecurrentActivation, activations.Sigmoid)
	mix := func(z, h, candidate *tensor.Node) []*tensor.Node {
		return []*tensor.Node{graph.Add(graph.Mul(z, h), graph.Mul(graph.OneMinus(z), candidate))}
	}
	r := recurrent{
		units: l.Units, gates: 3, states: 1, kernel: l.KernelInitializer, recurrent: l.RecurrentInitializer, bias: l.BiasInitializer,
		reg:                  regularization{l.KernelRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.KernelConstraint, l.BiasConstraint},
		recurrentRegularizer: l.RecurrentRegularizer, recurrentConstraint: l.RecurrentConstraint,
		dropout: l.Dropout, recurrentDropout: l.RecurrentDropout,
		carrying:    carrying{l.ReturnSequences, l.ReturnState, l.GoBackwards, l.Stateful},
		zeroForMask: l.ZeroOutputForMask,
		act:         act, gate: gate, looped: (*loopCell).gru, kernels: (*loopCell).gruKernel, asKernel: (*loopCell).asKernel,
		from: func(x, h *tensor.Node, carry []*tensor.Node) []*tensor.Node {
			xs, hs := parts(x, 3), parts(h, 3)
			z, r := gate.Apply(graph.Add(xs[0], hs[0])), gate.Apply(graph.Add(xs[1], hs[1]))
			return mix(z, carry[0], act.Apply(graph.Add(xs[2], graph.Mul(r, hs[2]))))
		},
	}
	if l.ResetBefore {
		n := l.Units
		r.looped = nil
		r.whole = func(x *tensor.Node, seen []*tensor.Node, u *tensor.Node) []*tensor.Node {
			xs := parts(x, 3)
			hs := parts(graph.MatMul(seen[0], graph.SliceAxis(u, 1, graph.AxisRange(0, 2*n))), 2)
			z, r := gate.Apply(graph.Add(xs[0], hs[0])), gate.Apply(graph.Add(xs[1], hs[1]))
			h := graph.MatMul(graph.Mul(r, seen[0]), graph.SliceAxis(u, 1, graph.AxisRange(2*n, 3*n)))
			return mix(z, seen[1], act.Apply(graph.Add(xs[2], h)))
		}
	}
	if !l.NoBias {
		r.biases = Shape{2, 3 * l.Units}
		if l.ResetBefore {
			r.biases = Shape{3 * l.Units}
		}
	}
	return r
}

// parts cuts the last axis of [batch, n·units] into n.
func parts(z *tensor.Node, n int) []*tensor.Node {
	units := z.Shape().Dimensions[1] / n
	all := make([]*tensor.Node, n)
	for i := range all {
		all[i] = graph.SliceAxis(z, 1, graph.AxisRange(i*units, (i+1)*units))
	}
	return all
}

func (r recurrent) build(in []Shape) (Spec, error) {
	if err := wantRank(in[0], "steps", "features"); err != nil {
		return Spec{}, err
	}
	if err := r.check(in[0][1:]); err != nil {
		return Spec{}, err
	}
	states := r.stateShapes()
	if err := r.want(in, states); err != nil {
		return Spec{}, err
	}
	return r.spec(in[0][0], Shape{r.units}, states, r.weights(in[0][1])), nil
}

// check reports settings that make no sense for steps of a shape.
func (r recurrent) check(step Shape) error {
	return checked(wantPositive("Units", r.units), wantRank(step, "features"), wantRate(r.dropout), wantRate(r.recurrentDropout))
}

// stateShapes are the shapes of the states that the recurrence carries.
func (r recurrent) stateShapes() []Shape { return slices.Repeat([]Shape{{r.units}}, r.states) }

// weights are W, U and b for so many features.
func (r recurrent) weights(features int) []Weight {
	n := r.gates * r.units
	u := Weight{
		Name: "recurrent_kernel", Shape: Shape{r.units, n}, Initializer: orInitializer(r.recurrent, initializers.Orthogonal{}),
		Regularizer: r.recurrentRegularizer, Constraint: r.recurrentConstraint,
	}
	w := []Weight{r.reg.kernel("kernel", r.kernel, features, n), u}
	if r.biases != nil {
		w = r.reg.withBias(w, false, n, r.bias)
		w[2].Shape = r.biases
	}
	return w
}

func (r recurrent) call(c *Context, in []*tensor.Node) []*tensor.Node {
	return inSinglePrecision(c, in, func(c *Context, in []*tensor.Node) []*tensor.Node {
		x, mask := r.turned(r.dropped(c, in[0]), c.Mask())
		outs, last := r.run(c, x, mask, r.begin(c, in, r.stateShapes()), len(in) > 1 || r.stateful)
		r.reg.activity(c, outs)
		return r.end(c, outs, last)
	})
}

// dropped is x without the features that Dropout leaves out, the same in all steps.
func (r recurrent) dropped(c *Context, x *tensor.Node) *tensor.Node {
	d := x.Shape().Dimensions
	return drop(c, x, r.dropout, []int{d[0], 1, d[2]})
}

// run returns the outputs of all steps, [batch, steps, units], or of the last, and the
// states at the end.
func (r recurrent) run(c *Context, x, mask *tensor.Node, carry []*tensor.Node, given bool) (out *tensor.Node, last []*tensor.Node) {
	d := x.Shape().Dimensions
	cell := r.loopCell(c, x)
	cell.batch, cell.time, cell.features, cell.units = d[0], d[1], d[2], r.units
	cell.carry, cell.training, cell.sequences = carry, c.Training, r.sequences || mask != nil
	if c.Training && r.recurrentDropout > 0 {
		ones := graph.Ones(x.Graph(), shapes.Make(x.DType(), d[0], r.units))
		cell.keep = drop(c, ones, r.recurrentDropout, []int{d[0], r.units})
	}
	if mask != nil {
		mask = graph.InsertAxes(graph.Transpose(mask, 0, 1), -1) // [steps, batch, 1]
		cell.mask = graph.BroadcastToDims(mask, d[1], d[0], r.units)
	}
	var all *tensor.Node // [steps, batch, units]
	if r.looped != nil && inLoops(x.Graph(), r.act, r.gate) {
		cell.act, cell.gate = r.act.(activations.Looped), r.gate.(activations.Looped)
		run := r.looped
		if r.kernels != nil && r.asKernel(cell) {
			run = r.kernels
		}
		all, last = run(cell)
	} else {
		all, last = r.unrolled(cell)
	}
	if mask != nil {
		all = r.masked(all, cell.mask, given)
	}
	if r.sequences {
		return graph.TransposeAllAxes(all, 1, 0, 2), last
	}
	if mask == nil {
		return last[0], last
	}
	return graph.Squeeze(graph.Slice(all, graph.AxisElem(d[1]-1)), 0), last
}

// loopCell is the recurrence with its weights.
func (r recurrent) loopCell(c *Context, x *tensor.Node) *loopCell {
	cell := &loopCell{x: x, w: c.Weight("kernel"), u: c.Weight("recurrent_kernel")}
	if r.biases != nil {
		cell.bx = c.Weight("bias")
		if cell.bx.Rank() == 2 {
			both := cell.bx
			cell.bx = graph.Squeeze(graph.Slice(both, graph.AxisElem(0)), 0)
			cell.bh = graph.Squeeze(graph.Slice(both, graph.AxisElem(1)), 0)
		}
	}
	return cell
}

// masked is the output of steps that a mask leaves out: 0, or that of the step before,
// which is the state that is carried on. Before the first step that counts there is no
// output before, even if a state was given.
func (r recurrent) masked(all, mask *tensor.Node, given bool) *tensor.Node {
	zero := graph.ZerosLike(all)
	switch {
	case r.zeroForMask:
		return graph.Where(mask, all, zero)
	case given:
		sofar := graph.CumSum(graph.ConvertDType(mask, all.DType()), 0)
		return graph.Where(graph.GreaterThan(sofar, zero), all, zero)
	}
	return all
}

// unrolled puts a copy of the step into the graph for each time: for what loops cannot
// do. Compiling takes longer the longer the sequence is.
func (r recurrent) unrolled(c *loopCell) (all *tensor.Node, last []*tensor.Node) {
	z := matMul(graph.TransposeAllAxes(c.x, 1, 0, 2), c.w)
	if c.bx != nil {
		z = graph.Add(z, graph.ExpandLeftToRank(c.bx, 3))
	}
	row := func(x *tensor.Node, t int) *tensor.Node { return graph.Squeeze(graph.Slice(x, graph.AxisElem(t)), 0) }
	states := c.carry
	var outs []*tensor.Node
	for t := range c.time {
		next := r.step(c, row(z, t), states)
		if c.mask != nil {
			for i := range next {
				next[i] = graph.Where(row(c.mask, t), next[i], states[i])
			}
		}
		states = next
		outs = append(outs, states[0])
	}
	return graph.Stack(outs, 0), states
}

// step makes the next states of those before and z, what W and its bias make of a step.
func (r recurrent) step(c *loopCell, z *tensor.Node, states []*tensor.Node) []*tensor.Node {
	seen := states[0]
	if c.keep != nil {
		seen = graph.Mul(seen, c.keep)
	}
	if r.whole != nil {
		return r.whole(z, append([]*tensor.Node{seen}, states...), c.u)
	}
	h := graph.MatMul(seen, c.u)
	if c.bh != nil {
		h = graph.Add(h, graph.InsertAxes(c.bh, 0))
	}
	return r.from(z, h, states)
}
