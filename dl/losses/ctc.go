package losses

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() { config.Register(CTC{}) }

// CTC is connectionist temporal classification: −log of the probability that a sequence of
// outputs spells the labels, whenever each of them may be said, for any number of steps, with
// blanks between them.
//
// Output shape: (None, steps, classes), logits, of which class 0 is the blank. Labels: (None,
// length), class numbers from 1 on; the first zeros of each row end it: [3, 1, 1, 0, 0] are three.
// A row that steps are too few for has an infinite loss, and no gradient.
//
// Source: Graves et al., 2006; https://keras.io/api/losses/probabilistic_losses/
type CTC struct{}

// Name implements Loss.
func (CTC) Name() string { return "ctc" }

// NumClasses implements Classes.
func (CTC) NumClasses(output []int) (n int, whole bool) { return output[len(output)-1], true }

// Check implements Loss.
func (CTC) Check(labels, output []int) error {
	if len(output) != 2 || output[1] < 2 {
		return fmt.Errorf("expected output of shape (None, steps, classes) with at least two classes, got %v", output)
	}
	if len(labels) != 1 {
		return fmt.Errorf("expected labels of shape (None, length), got %v", labels)
	}
	return nil
}

// impossible is the logarithm of 0, as far as float32 can go on computing with it.
const impossible = -1e30

// Compute implements Loss.
func (CTC) Compute(labels, output *tensor.Node) *tensor.Node {
	kind := output.DType()
	output = graph.ConvertDType(output, dtypes.Float32)
	a := newAlignment(graph.ConvertDType(labels, dtypes.Int32), graph.StopGradient(output))
	forward := a.run(a.emit, a.skip, a.first)
	last := graph.Squeeze(graph.Slice(forward, graph.AxisElem(-1)), 0)
	log := logSum(graph.Add(last, a.final)) // [batch]
	lost := graph.LessThan(log, constant(log, impossible/2))
	loss := graph.Where(lost, constant(log, math.Inf(1)), graph.Neg(log))
	loss = ops.WithGradient([]*tensor.Node{loss}, []*tensor.Node{output}, func(d []*tensor.Node) []*tensor.Node {
		both := graph.Sub(graph.Add(forward, a.backward()), a.emit) // [steps, batch, states]
		share := graph.Exp(graph.Sub(both, graph.ExpandAxes(log, 0, 2)))
		said := graph.EinsumAxes(graph.TransposeAllAxes(share, 1, 0, 2), a.states, [][2]int{{2, 1}}, [][2]int{{0, 0}})
		by := graph.Sub(graph.Exp(a.log), said)
		by = graph.Where(graph.BroadcastToDims(graph.ExpandAxes(lost, 1, 2), by.Shape().Dimensions...), graph.ZerosLike(by), by)
		return []*tensor.Node{graph.Mul(by, graph.ExpandAxes(d[0], 1, 2))}
	})[0]
	return graph.ConvertDType(loss, kind)
}

// alignment is the labels of a batch as states, that go through the steps one by one: blank,
// label, blank, …, label, blank. From each the next step is in the same state, the one behind it,
// or, past a blank between two labels that differ, the one behind that.
type alignment struct {
	log          *tensor.Node // of the classes' probabilities, [batch, steps, classes]
	states       *tensor.Node // which class each says, [batch, states, classes], one-hot
	emit         *tensor.Node // log of the probability of that, [steps, batch, states]
	skip         *tensor.Node // 0 where a state can be reached from two before it, else impossible: [batch, states]
	first, final *tensor.Node // 0 before the first state, and for the two in which a row may end
}

func newAlignment(labels, output *tensor.Node) *alignment {
	g := output.Graph()
	batch, length := labels.Shape().Dimensions[0], labels.Shape().Dimensions[1]
	n := 2*length + 1
	blank := graph.ZerosLike(labels)
	// blank, label, blank, label, … and a blank at the end
	pairs := graph.Reshape(graph.Stack([]*tensor.Node{blank, labels}, 2), batch, 2*length)
	said := graph.Concatenate([]*tensor.Node{pairs, graph.Slice(blank, graph.AxisRange(), graph.AxisRange(0, 1))}, 1)
	at := graph.Iota(g, shapes.Make(dtypes.Int32, batch, n), 1)
	some := graph.ConvertDType(graph.NotEqual(labels, blank), dtypes.Int32)
	end := graph.BroadcastToDims(graph.InsertAxes(graph.MulScalar(graph.ReduceSum(some, 1), 2), -1), batch, n) // the last blank

	a := &alignment{log: graph.LogSoftmax(output)}
	a.states = graph.OneHot(said, output.Shape().Dimensions[2], dtypes.Float32)
	bounded := graph.MaxScalar(a.log, impossible) // a product of 0 and −∞ is no number
	emit := graph.EinsumAxes(bounded, a.states, [][2]int{{2, 2}}, [][2]int{{0, 0}})
	a.emit = graph.TransposeAllAxes(emit, 1, 0, 2)
	a.emit = graph.Where(graph.BroadcastToDims(graph.InsertAxes(graph.GreaterThan(at, end), 0), a.emit.Shape().Dimensions...), constant(a.emit, impossible), a.emit)

	other := graph.LogicalAnd(graph.NotEqual(said, graph.ZerosLike(said)), graph.NotEqual(said, shifted(said, 2, constant(said, 0))))
	a.skip = logOf(other)
	a.first = logOf(graph.Equal(at, graph.ZerosLike(at)))
	a.final = logOf(graph.LogicalOr(graph.Equal(at, end), graph.Equal(graph.AddScalar(at, 1), end)))
	return a
}

// logOf is the logarithm of a truth.
func logOf(is *tensor.Node) *tensor.Node {
	zero := graph.Zeros(is.Graph(), shapes.Make(dtypes.Float32, is.Shape().Dimensions...))
	return graph.Where(is, zero, constant(zero, impossible))
}

// constant is a number in the shape of a node.
func constant(like *tensor.Node, v float64) *tensor.Node {
	return graph.BroadcastToDims(graph.Scalar(like.Graph(), like.DType(), v), like.Shape().Dimensions...)
}

// shifted moves [batch, states] on by n, with what fill has in front.
func shifted(x *tensor.Node, n int, fill *tensor.Node) *tensor.Node {
	d := x.Shape().Dimensions
	if n >= d[1] {
		return fill
	}
	front := graph.Slice(fill, graph.AxisRange(), graph.AxisRange(0, n))
	return graph.Concatenate([]*tensor.Node{front, graph.Slice(x, graph.AxisRange(), graph.AxisRange(0, d[1]-n))}, 1)
}

// run is, for each step and state, the logarithm of the probability of all ways there, with what
// the state itself says: [steps, batch, states].
func (a *alignment) run(emit, skip, first *tensor.Node) *tensor.Node {
	steps := emit.Shape().Dimensions[0]
	never := constant(first, impossible)
	next := func(before, now, skip, never *tensor.Node) *tensor.Node {
		one, two := shifted(before, 1, never), graph.Add(shifted(before, 2, never), skip)
		most := graph.Max(graph.Max(before, one), two)
		var sum *tensor.Node
		for _, way := range []*tensor.Node{before, one, two} {
			p := graph.Exp(graph.Sub(way, most))
			if sum == nil {
				sum = p
			} else {
				sum = graph.Add(sum, p)
			}
		}
		return graph.Add(graph.Add(most, graph.Log(sum)), now)
	}
	if !ops.HasLoops(emit.Graph()) {
		var all []*tensor.Node
		for t := range steps {
			first = next(first, graph.Squeeze(graph.Slice(emit, graph.AxisElem(t)), 0), skip, never)
			all = append(all, first)
		}
		return graph.Stack(all, 0)
	}
	return ops.Loop(steps, []*tensor.Node{graph.ZerosLike(emit), first}, []*tensor.Node{skip, never}, func(t *tensor.Node, s, o []*tensor.Node) []*tensor.Node {
		now := next(s[1], ops.At(emit, t), o[0], o[1])
		return []*tensor.Node{ops.Put(s[0], now, t), now}
	})[0]
}

// backward is the same from the end: of all ways on from each step and state. Turned round, the
// states are reached from those behind them.
func (a *alignment) backward() *tensor.Node {
	skip := shifted(graph.Reverse(a.skip, 1), 2, constant(a.skip, impossible))
	last := logOf(graph.LogicalAnd(graph.GreaterThan(a.final, constant(a.final, -1)), a.isBlank()))
	return graph.Reverse(a.run(graph.Reverse(a.emit, 0, 2), skip, graph.Reverse(last, 1)), 0, 2)
}

// isBlank says which states are blanks.
func (a *alignment) isBlank() *tensor.Node {
	at := graph.Iota(a.first.Graph(), shapes.Make(dtypes.Int32, a.first.Shape().Dimensions...), 1)
	half := graph.DivScalar(at, 2)
	return graph.Equal(graph.MulScalar(half, 2), at)
}

// logSum is log Σ exp over states.
func logSum(x *tensor.Node) *tensor.Node {
	most := graph.ReduceMax(x, 1)
	return graph.Add(most, graph.Log(graph.ReduceSum(graph.Exp(graph.Sub(x, graph.InsertAxes(most, -1))), 1)))
}
