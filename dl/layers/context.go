package layers

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/pass"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Context is what a layer's Call knows of the graph that is being built.
type Context struct {
	// Training says that the layer is called in a training step.
	Training bool
	// Trainable is false for a layer that is frozen: batch normalisation then
	// uses what it has learned.
	Trainable bool
	// DType is the type in which to compute; zero leaves everything as it is.
	DType tensor.DType

	pass    *pass.Pass
	layer   string
	prefix  string // of the part of the layer, with its slash
	weights map[string]*tensor.Node
	updates map[string]*tensor.Node
	masks   []*tensor.Node
	mask    *tensor.Node
	masked  bool // SetMask was called
	asked   bool // Mask was
}

func init() {
	pass.Of = func(context any) *pass.Pass { return context.(*Context).pass }
	pass.Call = func(p *pass.Pass, l pass.Layer, x, masks []*tensor.Node) ([]*tensor.Node, *tensor.Node, map[string]*tensor.Node) {
		c := &Context{
			Training: p.Training, Trainable: l.Trainable, DType: p.DType,
			pass: p, layer: l.Name, weights: l.Weights, updates: make(map[string]*tensor.Node),
		}
		if l.DType != dtypes.InvalidDType {
			c.DType = l.DType
		}
		out, mask := c.checked(l.Layer.(Layer), l.Spec.(Spec), x, masks)
		return out, mask, c.updates
	}
}

// inferring is the context of a call of which only the shapes count.
func inferring(x []*tensor.Node) *Context {
	random := graph.Const(x[0].Graph(), []uint64{1, 2, 3})
	return &Context{pass: pass.New(false, random, dtypes.InvalidDType), masks: make([]*tensor.Node, len(x))}
}

func batched(s Shape, batch int) shapes.Shape {
	return shapes.Make(dtypes.Float32, append([]int{batch}, s...)...)
}

// Weight returns the weight of that name, which Build must have asked for, in
// the type that the model computes in.
func (c *Context) Weight(name string) *tensor.Node {
	w := c.Variable(name)
	if c.DType != dtypes.InvalidDType && w.DType().IsFloat() {
		w = graph.ConvertDType(w, c.DType)
	}
	return w
}

// Variable is Weight in the type in which it is kept, float32.
func (c *Context) Variable(name string) *tensor.Node {
	w, ok := c.weights[c.prefix+name]
	if !ok {
		panic(fmt.Errorf("layer %q: Call uses a weight %q that Build did not declare", c.layer, c.prefix+name))
	}
	return w
}

// Update gives a weight a new value after the step, as batch normalisation
// does with its running means. It has no effect outside training, except on a
// State.
func (c *Context) Update(name string, value *tensor.Node) {
	w := c.Variable(name)
	c.updates[c.prefix+name] = graph.ConvertDType(value, w.DType())
}

// Part is the context of a layer inside this one, whose weights Build has
// included under that name.
func (c *Context) Part(name string) *Context {
	p := *c
	p.prefix += name + "/"
	p.masks, p.mask, p.masked, p.asked = nil, nil, false, false
	return &p
}

// Run calls a layer inside this one on nodes with masks, which may be nil, and
// returns its outputs and their mask.
func (c *Context) Run(part string, l Layer, spec Spec, x []*tensor.Node, masks []*tensor.Node) ([]*tensor.Node, *tensor.Node) {
	p := c.Part(part)
	return p.call(l, spec, x, masks)
}

// call runs a layer, which is what Run and the models have in common.
func (c *Context) call(l Layer, spec Spec, x []*tensor.Node, masks []*tensor.Node) ([]*tensor.Node, *tensor.Node) {
	c.masks = masks
	if !spec.AnyType && c.DType != dtypes.InvalidDType {
		x = append([]*tensor.Node{}, x...)
		for i := range x {
			if x[i].DType().IsFloat() {
				x[i] = graph.ConvertDType(x[i], c.DType)
			}
		}
	}
	var out []*tensor.Node
	if m, ok := config.As[Multi](l); ok {
		out = m.CallAll(c, x)
	} else {
		out = []*tensor.Node{l.Call(c, x[0])}
	}
	if c.masked {
		return out, c.mask
	}
	if spec.KeepsMask {
		return out, c.Mask()
	}
	if !c.asked && slices.ContainsFunc(masks, func(m *tensor.Node) bool { return m != nil }) {
		c.pass.Dropped = append(c.pass.Dropped, c.layer)
	}
	return out, nil
}

// checked is call, and checks that the layer returns what it promised.
func (c *Context) checked(l Layer, spec Spec, x, masks []*tensor.Node) (out []*tensor.Node, mask *tensor.Node) {
	out, mask = c.call(l, spec, x, masks)
	want := spec.All()
	if len(out) != len(want) {
		panic(fmt.Errorf("expected %d outputs as its Build said, got %d from its Call", len(want), len(out)))
	}
	for i, y := range out {
		if y == nil {
			panic(fmt.Errorf("expected output of shape %v as its Build said, got nil from its Call", want[i]))
		}
		got := y.Shape().Dimensions
		if len(got) == 0 {
			panic(fmt.Errorf("expected output of shape %v as its Build said, got a scalar from its Call", want[i]))
		}
		if got := Shape(got[1:]); !got.Equal(want[i]) {
			panic(fmt.Errorf("expected output of shape %v as its Build said, got %v from its Call", want[i], got))
		}
		if batch := batchOf(x); got[0] != batch {
			panic(fmt.Errorf("expected an output for each of %d examples, got %d from its Call", batch, got[0]))
		}
	}
	return out, mask
}

func batchOf(x []*tensor.Node) int { return x[0].Shape().Dimensions[0] }

// Mask says which steps of the first input count: bool [batch, time]; nil if all
// do.
func (c *Context) Mask() *tensor.Node { return c.MaskOf(0) }

// MaskOf is the mask of an input.
func (c *Context) MaskOf(input int) *tensor.Node {
	c.asked = true
	if input >= len(c.masks) {
		return nil
	}
	return c.masks[input]
}

// SetMask sets the mask of the output; nil is none. Without a call it is what
// Spec.KeepsMask says.
func (c *Context) SetMask(mask *tensor.Node) { c.mask, c.masked = mask, true }

// Activate applies an activation and remembers its argument, so that a loss
// that follows can be computed from it.
func (c *Context) Activate(a activations.Activation, x *tensor.Node) *tensor.Node {
	return c.pass.Activate(a, x)
}

// AddLoss adds a scalar to the loss that training minimises.
func (c *Context) AddLoss(loss *tensor.Node) { c.pass.Losses = append(c.pass.Losses, loss) }

// random calls a generator.
func (c *Context) random(generate func(rng *tensor.Node) (*tensor.Node, *tensor.Node)) *tensor.Node {
	if c.pass.Random == nil {
		panic(fmt.Errorf("this pass has no random numbers: use them only where Context.Training is true"))
	}
	var values *tensor.Node
	c.pass.Random, values = generate(c.pass.Random)
	return values
}
