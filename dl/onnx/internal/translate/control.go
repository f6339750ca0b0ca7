package translate

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/proto"
)

func init() {
	add(map[string]operator{
		"If":   {Attributes: "then_branch else_branch", Inputs: 1, Outputs: unlimited, Rule: branch, Inner: true},
		"Loop": {Attributes: "body", Inputs: unlimited, Outputs: unlimited, Rule: loop, Inner: true},
		"Scan": {
			Attributes: "body num_scan_inputs scan_input_axes scan_input_directions scan_output_axes scan_output_directions directions",
			Inputs:     unlimited, Outputs: unlimited, Rule: scan, Inner: true,
		},
	})
}

// longest is how many steps the loops of a graph may have together: each is a part of the
// graph of its own.
const longest = 1 << 14

func (c *call) stepped() {
	if c.steps++; c.steps > longest {
		panic(fmt.Errorf("its loops have more than %d steps, which is not supported", longest))
	}
}

func (c *call) graphOf(name string) *proto.Graph {
	a, ok := c.attribute(name)
	if !ok || a.G == nil {
		panic(fmt.Errorf("expected a graph as attribute %s, got none", name))
	}
	return a.G
}

// branch takes the way that its condition says, which must be known. Where it is not, and
// both ways lead to tensors of one shape, both are computed and one is chosen.
func branch(c *call) []*value {
	v := c.value(0)
	if v.known == nil && v.weight == "" && c.inputs[v] == "" {
		if out, ok := c.both(); ok {
			return out
		}
	}
	if c.real(0) != 0 {
		return c.inner(c.graphOf("then_branch"), c.scope)
	}
	return c.inner(c.graphOf("else_branch"), c.scope)
}

func (c *call) both() (out []*value, ok bool) {
	steps := c.steps
	c.trying++
	defer func() {
		c.trying--
		// A way may not fit this input at all, and the other is the one to take.
		if r := recover(); r != nil || !ok {
			out, ok = nil, false
			c.steps = steps
		}
	}()
	a, b := c.inner(c.graphOf("then_branch"), c.scope), c.inner(c.graphOf("else_branch"), c.scope)
	if len(a) != len(b) {
		return nil, false
	}
	on := graph.Reshape(c.x(0))
	for i := range a {
		if a[i].isList() || b[i].isList() || a[i].none || b[i].none || !a[i].shape().Equal(b[i].shape()) {
			return nil, false
		}
		x, y := c.node(a[i]), c.node(b[i])
		out = append(out, &value{node: graph.Where(graph.BroadcastToDims(on, x.Shape().Dimensions...), x, y)})
	}
	return out, true
}

// loop unrolls its body. Whether it goes on must be known after each step.
func loop(c *call) []*value {
	body := c.graphOf("body")
	most := -1
	if c.has(0) {
		most = c.one(0)
	}
	on := &value{known: tensors.FromScalar(true)}
	if c.has(1) {
		on = c.value(1)
	}
	var state []*value
	for i := 2; i < len(c.in); i++ {
		state = append(state, c.in[i])
	}
	if len(body.Inputs) != 2+len(state) || len(body.Outputs) < 1+len(state) {
		panic(fmt.Errorf("expected a body of %d inputs and at least %d outputs, got one of %d and %d", 2+len(state), 1+len(state), len(body.Inputs), len(body.Outputs)))
	}
	kept := make([][]*value, len(body.Outputs)-1-len(state))
	endless := !c.has(1) || c.In[1] == ""
	for i := 0; most < 0 || i < most; i++ {
		if !endless || i > 0 {
			if Reals(c.numbers(on, "condition"))[0] == 0 {
				break
			}
		}
		c.stepped()
		in := append([]*value{{known: tensors.FromScalar(int64(i))}, on}, state...)
		out := c.inner(body, c.scope, in...)
		on, state = out[0], out[1:1+len(state)]
		for j, v := range out[1+len(state):] {
			kept[j] = append(kept[j], v)
		}
	}
	out := append([]*value{}, state...)
	for j, all := range kept {
		out = append(out, c.stacked(all, body.Outputs[1+len(state)+j], 0))
	}
	return out
}

// stacked puts what each step returned together along a new axis.
func (c *call) stacked(all []*value, like proto.Value, axis int) *value {
	if len(all) == 0 {
		dims := []int{0}
		for _, d := range like.Dims {
			if d.Size < 0 {
				like.Ranked = false
			}
			dims = append(dims, int(d.Size))
		}
		if !like.Ranked || axis != 0 || DType(like.Kind) == 0 {
			panic(fmt.Errorf("it has no step, and the file does not say the whole shape of output %q", like.Name))
		}
		return &value{known: tensors.FromShape(sized(DType(like.Kind), dims))}
	}
	var nodes []*graph.Node
	for _, v := range all {
		nodes = append(nodes, c.node(v))
	}
	return &value{node: graph.Stack(nodes, axis)}
}

// scan unrolls its body over the places of an axis of each scanned input.
func scan(c *call) []*value {
	body := c.graphOf("body")
	n := c.int("num_scan_inputs", 0)
	in := c.in
	batch := c.opset == 8 // whose first input are lengths, and whose inputs have a batch
	if batch {
		if c.has(0) {
			panic(errors.New("sequence_lens are not supported"))
		}
		in = in[1:]
	}
	if n < 1 || n > len(in) || len(body.Inputs) != len(in) || len(body.Outputs) < len(in)-n {
		panic(fmt.Errorf("expected a body of %d inputs, %d of them scanned, got one of %d", len(in), n, len(body.Inputs)))
	}
	if batch {
		if slices.Contains(c.list("directions"), 1) {
			panic(errors.New("the attribute directions with 1 is not supported in opset 8"))
		}
		return c.scanBatch(body, in, n)
	}
	states := len(in) - n
	axes := c.list("scan_input_axes", make([]int, n)...)
	back := c.list("scan_input_directions", make([]int, n)...)
	outs := len(body.Outputs) - states
	outAxes, outBack := c.list("scan_output_axes", make([]int, outs)...), c.list("scan_output_directions", make([]int, outs)...)
	if len(axes) != n || len(back) != n || len(outAxes) != outs || len(outBack) != outs {
		panic(fmt.Errorf("expected axes and directions of %d inputs and %d outputs", n, outs))
	}
	scanned, steps := c.scanned(in[states:], axes)
	state := append([]*value{}, in[:states]...)
	kept := make([][]*value, outs)
	for t := range steps {
		c.stepped()
		now := append([]*value{}, state...)
		for i, x := range scanned {
			at := t
			if back[i] == 1 {
				at = steps - 1 - t
			}
			now = append(now, &value{node: graph.Squeeze(graph.SliceAxis(x, axes[i], graph.AxisElem(at)), axes[i])})
		}
		out := c.inner(body, c.scope, now...)
		state = out[:states]
		for j, v := range out[states:] {
			if outBack[j] == 1 {
				kept[j] = append([]*value{v}, kept[j]...)
			} else {
				kept[j] = append(kept[j], v)
			}
		}
	}
	out := append([]*value{}, state...)
	for j, all := range kept {
		axis := outAxes[j]
		if axis < 0 && len(all) > 0 {
			axis += all[0].shape().Rank() + 1
		}
		out = append(out, c.stacked(all, body.Outputs[states+j], axis))
	}
	return out
}

// scanBatch is the Scan of opset 8: each example of a batch by itself.
func (c *call) scanBatch(body *proto.Graph, in []*value, n int) []*value {
	states := len(in) - n
	size := in[states].shape().Dimensions[0]
	all := make([][]*value, len(body.Outputs))
	for b := range size {
		one := func(v *value) *graph.Node {
			x := c.node(v)
			return graph.Squeeze(graph.SliceAxis(x, 0, graph.AxisElem(b)), 0)
		}
		var state []*value
		for _, v := range in[:states] {
			state = append(state, &value{node: one(v)})
		}
		kept := make([][]*value, len(body.Outputs)-states)
		steps := in[states].shape().Dimensions[1]
		for t := range steps {
			c.stepped()
			now := append([]*value{}, state...)
			for _, v := range in[states:] {
				now = append(now, &value{node: graph.Squeeze(graph.SliceAxis(one(v), 0, graph.AxisElem(t)), 0)})
			}
			out := c.inner(body, c.scope, now...)
			state = out[:states]
			for j, v := range out[states:] {
				kept[j] = append(kept[j], v)
			}
		}
		for j, v := range state {
			all[j] = append(all[j], v)
		}
		for j, k := range kept {
			all[states+j] = append(all[states+j], c.stacked(k, body.Outputs[states+j], 0))
		}
	}
	var out []*value
	for j, v := range all {
		out = append(out, c.stacked(v, body.Outputs[j], 0))
	}
	return out
}

// scanned are the inputs that are scanned, and how long they are; axes are counted from the
// start.
func (c *call) scanned(in []*value, axes []int) (all []*graph.Node, steps int) {
	for i, v := range in {
		x := c.node(v)
		axes[i] = axisOf(axes[i], x.Rank())
		if d := x.Shape().Dimensions[axes[i]]; i > 0 && d != steps {
			panic(fmt.Errorf("expected scanned inputs of one length, got %d and %d", steps, d))
		}
		steps = x.Shape().Dimensions[axes[i]]
		all = append(all, x)
	}
	return all, steps
}
