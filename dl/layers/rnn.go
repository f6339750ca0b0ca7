package layers

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(RNN{})
	config.Tells[SequenceCell]("Steps", "Step", "BuildCell")
}

// Cell computes one step of a recurrence, which RNN takes over a sequence:
//
//	y_t, states_t = Step(x_t, states_(t−1))
//
// LSTMCell, GRUCell, SimpleRNNCell and StackedRNNCells are cells, and so is a type of one's own
// with these methods.
type Cell interface {
	// BuildCell checks the cell's settings against the shape of one step.
	BuildCell(in Shape) (CellSpec, error)
	// Step adds one step to a graph. x is [batch, in…], each of the states [batch, state…]; y
	// and next must be as BuildCell said. Weights are the context's.
	Step(c *Context, x *tensor.Node, states []*tensor.Node) (y *tensor.Node, next []*tensor.Node)
}

// CellSpec is what a Cell makes of the shape of a step.
type CellSpec struct {
	// Output is the shape of y, States those of what is carried to the next step.
	Output  Shape
	States  []Shape
	Weights []Weight
}

// SequenceCell is a Cell that computes all steps at once. Of other cells the graph has a copy
// for each step, so that compiling takes longer the longer the sequence is.
type SequenceCell interface {
	Cell
	// Steps takes x of [batch, steps, in…] and returns the outputs of all steps, [batch, steps,
	// out…], and the last states. Steps that mask, [batch, steps] bool or nil, leaves out must
	// not change the states; their outputs are not looked at.
	Steps(c *Context, x, mask *tensor.Node, states []*tensor.Node) (y *tensor.Node, last []*tensor.Node)
}

// RNN reads a sequence step by step with a cell.
//
// Input shape: (None, steps, …); initial states may follow as further inputs. Output shape: the
// cell's for the last step, or (None, steps, …) with ReturnSequences; with ReturnState the last
// states are further outputs.
//
// Source: https://keras.io/api/layers/recurrent_layers/rnn/
type RNN struct {
	// Cell computes a step.
	Cell Cell
	// ReturnSequences returns the output of every step, ReturnState the states too.
	ReturnSequences, ReturnState bool
	// GoBackwards reads from the end, and returns sequences in that order.
	GoBackwards bool
	// Stateful carries the states on to the next batch, until ResetState. It needs a fixed
	// BatchSize in the model's Input.
	Stateful bool
	// ZeroOutputForMask makes the output of a step that a mask leaves out 0, rather than that
	// of the step before.
	ZeroOutputForMask bool
	Name              string
}

func (l RNN) carrying() carrying {
	return carrying{l.ReturnSequences, l.ReturnState, l.GoBackwards, l.Stateful}
}

// Build implements Layer.
func (l RNN) Build(in Shape) (Spec, error) { return l.BuildAll([]Shape{in}) }

// BuildAll implements Multi.
func (l RNN) BuildAll(in []Shape) (Spec, error) {
	if l.Cell == nil {
		return Spec{}, errors.New("expected a Cell, got nil")
	}
	if len(in[0]) < 2 || in[0][0] < 1 {
		return Spec{}, misfit(in[0], "expected input of shape (None, steps, …) with at least one step, got %v", in[0])
	}
	cell, err := l.Cell.BuildCell(in[0][1:])
	if err != nil {
		return Spec{}, fmt.Errorf("Cell: %w", err)
	}
	if err := l.carrying().want(in, cell.States); err != nil {
		return Spec{}, err
	}
	var parts Spec
	parts.Include("cell", Spec{Weights: cell.Weights})
	return l.carrying().spec(in[0][0], cell.Output, cell.States, parts.Weights), nil
}

// Call implements Layer.
func (l RNN) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.CallAll(c, []*tensor.Node{x})[0]
}

// CallAll implements Multi.
func (l RNN) CallAll(c *Context, in []*tensor.Node) []*tensor.Node {
	return inSinglePrecision(c, in, l.call)
}

func (l RNN) call(c *Context, in []*tensor.Node) []*tensor.Node {
	spec, err := l.Cell.BuildCell(in[0].Shape().Dimensions[2:])
	if err != nil {
		panic(err)
	}
	r := l.carrying()
	x, mask := r.turned(in[0], c.Mask())
	all, last := stepsOf(c.Part("cell"), l.Cell, x, mask, r.begin(c, in, spec.States))
	if mask != nil {
		all = l.masked(all, mask)
	}
	y := all
	if !l.ReturnSequences {
		y = graph.Squeeze(graph.SliceAxis(all, 1, graph.AxisElem(-1)), 1)
	}
	return r.end(c, y, last)
}

// masked are the outputs where those of steps that do not count are 0, or 0 until the first
// that does.
func (l RNN) masked(all, mask *tensor.Node) *tensor.Node {
	counts := graph.ConvertDType(mask, all.DType())
	if !l.ZeroOutputForMask {
		counts = graph.CumSum(counts, 1)
	}
	return graph.Where(spread(graph.GreaterThan(counts, graph.ZerosLike(counts)), all), all, graph.ZerosLike(all))
}

// stepsOf runs a cell over a sequence.
func stepsOf(c *Context, cell Cell, x, mask *tensor.Node, states []*tensor.Node) (all *tensor.Node, last []*tensor.Node) {
	if s, ok := config.As[SequenceCell](cell); ok {
		return s.Steps(c, x, mask, states)
	}
	var outs []*tensor.Node
	for t := range x.Shape().Dimensions[1] {
		row := func(n *tensor.Node) *tensor.Node { return graph.Squeeze(graph.SliceAxis(n, 1, graph.AxisElem(t)), 1) }
		y, next := cell.Step(c, row(x), states)
		if mask != nil {
			before := graph.ZerosLike(y)
			if t > 0 {
				before = outs[t-1]
			}
			y = graph.Where(spread(row(mask), y), y, before)
			for i := range next {
				next[i] = graph.Where(spread(row(mask), next[i]), next[i], states[i])
			}
		}
		states = next
		outs = append(outs, y)
	}
	return graph.Stack(outs, 1), states
}

// Reversed implements Recurrent.
func (l RNN) Reversed() Recurrent {
	l.GoBackwards = !l.GoBackwards
	return l
}

// Sequences implements Recurrent.
func (l RNN) Sequences() bool { return l.ReturnSequences }

// ZeroForMask implements Recurrent.
func (l RNN) ZeroForMask() Recurrent {
	l.ZeroOutputForMask = true
	return l
}

// KerasPath implements KerasPather.
func (l RNN) KerasPath(weight string) string {
	return "/cell" + cellPath(l.Cell, strings.TrimPrefix(weight, "cell/"))
}

// ONNX implements build.Layer, for the cells that ONNX has layers of.
func (l RNN) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	if cell, ok := l.Cell.(interface{ layer(RNN) build.Layer }); ok {
		return cell.layer(l).ONNX(g, c)
	}
	return nil, errNoONNX
}
