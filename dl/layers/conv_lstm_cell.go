package layers

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// convLSTM is what the layers have in common.
type convLSTM struct {
	carrying
	conv                      conv // W's
	act, gate                 activations.Activation
	recurrent                 Weight // U, but for its shape
	noUnitForgetBias          bool
	dropout, recurrentDropout float64
}

func (r convLSTM) build(in []Shape) (Spec, error) {
	n := len(r.conv.size)
	if len(in[0]) != n+2 {
		return Spec{}, misfit(in[0], "expected input of shape (None, steps, and %d axes of space and channels), got %v", n+1, in[0])
	}
	step, err := r.conv.build(in[0][1:])
	if err == nil {
		err = checked(wantPositive("steps", in[0][0]), wantRate(r.dropout), wantRate(r.recurrentDropout))
	}
	if err != nil {
		return Spec{}, err
	}
	states := []Shape{step.Output, step.Output} // h and c
	if err := r.want(in, states); err != nil {
		return Spec{}, err
	}
	window := r.conv.size
	gates := 4 * r.conv.filters
	kernel := r.conv.reg.kernel("kernel", r.conv.kernel, append(append([]int{}, window...), in[0][n+1], gates)...)
	u := r.recurrent
	u.Name, u.Shape = "recurrent_kernel", append(append(Shape{}, window...), r.conv.filters, gates)
	u.Initializer = orInitializer(u.Initializer, initializers.Orthogonal{})
	bias := r.conv.bias
	if !r.noUnitForgetBias {
		bias = forgetBias{orInitializer(bias, initializers.Zeros{})}
	}
	w := r.conv.reg.withBias([]Weight{kernel, u}, r.conv.noBias, gates, bias)
	return r.spec(in[0][0], step.Output, states, w), nil
}

func (r convLSTM) call(c *Context, in []*tensor.Node) []*tensor.Node {
	x := in[0]
	d := x.Shape().Dimensions
	x = drop(c, x, r.dropout, append([]int{d[0], 1}, d[2:]...))
	x, mask := r.turned(x, c.Mask())
	// W is applied to all steps at once.
	flat := graph.Reshape(x, append([]int{d[0] * d[1]}, d[2:]...)...)
	z := addBias(c, r.conv.noBias, convolve(flat, c.Weight("kernel"), r.conv.strides, r.conv.dilation, r.conv.padding, 1))
	z = graph.Reshape(z, append([]int{d[0], d[1]}, z.Shape().Dimensions[1:]...)...)
	size := append([]int{d[0]}, z.Shape().Dimensions[2:]...)
	size[len(size)-1] = r.conv.filters
	states := r.begin(c, in, []Shape{size[1:], size[1:]})
	var keep *tensor.Node
	if c.Training && r.recurrentDropout > 0 {
		keep = drop(c, graph.Ones(x.Graph(), shapes.Make(x.DType(), size...)), r.recurrentDropout, size)
	}
	var outs []*tensor.Node
	for t := range d[1] {
		next := r.step(c, graph.Squeeze(graph.SliceAxis(z, 1, graph.AxisElem(t)), 1), states, keep)
		if mask != nil {
			counts := graph.Squeeze(graph.SliceAxis(mask, 1, graph.AxisElem(t)), 1)
			for i := range next {
				next[i] = graph.Where(spread(counts, next[i]), next[i], states[i])
			}
		}
		states = next
		outs = append(outs, states[0])
	}
	y := states[0]
	if r.sequences {
		y = graph.Stack(outs, 1)
	}
	r.conv.reg.activity(c, y)
	return r.end(c, y, states)
}

// step makes the states h and c of those before and z, what W makes of the step.
func (r convLSTM) step(c *Context, z *tensor.Node, states []*tensor.Node, keep *tensor.Node) []*tensor.Node {
	h := states[0]
	if keep != nil {
		h = graph.Mul(h, keep)
	}
	u := c.Weight("recurrent_kernel")
	each := make([]int, len(r.conv.size)) // strides and dilations of 1
	z = graph.Add(z, convolve(h, u, each, each, Same, 1))
	part := func(i int) *tensor.Node {
		return graph.SliceAxis(z, z.Rank()-1, graph.AxisRange(i*r.conv.filters, (i+1)*r.conv.filters))
	}
	i, f, o := r.gate.Apply(part(0)), r.gate.Apply(part(1)), r.gate.Apply(part(3))
	cell := graph.Add(graph.Mul(f, states[1]), graph.Mul(i, r.act.Apply(part(2))))
	return []*tensor.Node{graph.Mul(o, r.act.Apply(cell)), cell}
}
