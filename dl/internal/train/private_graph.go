package train

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/apart"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/pass"
	"github.com/gradbook/gradbook/dl/losses"
)

// A private step needs the sum of the gradients of single examples, each bounded in its
// length. No such gradient is made. Of a layer whose output z is a product of what it sees
// with a kernel, the length follows from what it sees and from the gradient by z; and the
// bounded sum is what z gives if its gradient is multiplied by each example's factor. So a
// step is forwards once, backwards to all z once, and from there to the weights.
//
// A model with a weight of which no such rule is known goes through its examples one by one,
// in the same program.
//
// Source: Bu, Wang, Zha, Karypis (2023), Differentially private optimization on large
// foundation models, https://arxiv.org/abs/2210.00038.

// privateNodes are what a private step gets beside what others get.
type privateNodes struct {
	count *graph.Node // of the batch's examples; those behind are there to fill it up
	due   *graph.Node // 1 if the sample ends with this batch, or 0
	noise *graph.Node // of all weights that are trained, one behind the other
}

// tap is one application of a layer that has weights.
type tap struct {
	layer pass.Layer
	x, z  *graph.Node
}

// taps takes layers apart from their activations, and notes them.
type taps struct {
	all []tap
	err error
}

func (t *taps) call(p *pass.Pass, l pass.Layer, x, masks []*graph.Node) ([]*graph.Node, *graph.Node, map[string]*graph.Node) {
	linear, a := apart.Split(l.Layer)
	l.Layer = linear
	out, mask, updates := pass.Call(p, l, x, masks)
	if len(updates) > 0 && t.err == nil {
		t.err = fmt.Errorf("layer %q (%T) learns from a batch as a whole, or carries a state: private training needs each example on its own; GroupNormalization and LayerNormalization do so, and a frozen BatchNormalization", l.Name, l.Layer)
	}
	if len(l.Weights) > 0 {
		t.all = append(t.all, tap{l, x[0], out[0]})
	}
	if a != nil {
		out = []*graph.Node{p.Activate(a, out[0])}
	}
	return out, mask, updates
}

// runPrivate is Step.run of a private step, but for what is measured of it.
func (s *Step) runPrivate(given *privateNodes) {
	m := s.model
	batch := s.X[0].Shape().Dimensions[0]
	g := s.X[0].Graph()
	present := graph.ConvertDType(graph.LessThan(
		graph.Iota(g, shapes.Make(dtypes.Float32, batch), 0), graph.BroadcastToDims(given.count, batch)), dtypes.Float32)

	noted := &taps{}
	s.flow = m.ForwardTapped(s.updater.weights, s.X, s.random, true, noted.call)
	if noted.err != nil {
		panic(noted.err)
	}
	if len(s.flow.Pass.Losses) > 0 {
		panic(errors.New("a layer adds to the loss what depends on a batch (ActivityRegularizer): private training needs each example on its own; take it out"))
	}
	m.countPresent(s.flow, present)
	s.loss, s.sums = m.Measure(s.flow, s.Y, s.W)
	s.sums = countExamples(s.sums, given.count)

	clip := m.compiled.Privacy.ClipNorm
	if ruled(m.Network) {
		own := m.examplesLosses(s.flow, s.Y, s.W)
		s.updater.gradients = bounded(noted.all, s.updater.trained(), graph.ReduceAllSum(graph.Mul(own, present)), present, clip)
	} else {
		s.updater.gradients = s.oneByOne(present, clip)
	}
}

// countPresent masks what fills the batch up, so that it is not measured.
func (m *Model) countPresent(f *network.Flow, present *graph.Node) {
	for _, o := range m.Outputs {
		mask := f.Masks[o]
		if mask == nil {
			f.Masks[o] = present
			continue
		}
		wide := graph.ExpandAndBroadcast(present, mask.Shape().Dimensions, axesBehind(1, mask.Rank()))
		f.Masks[o] = graph.Mul(graph.ConvertDType(mask, dtypes.Float32), wide)
	}
}

func axesBehind(from, rank int) (axes []int) {
	for i := from; i < rank; i++ {
		axes = append(axes, i)
	}
	return axes
}

// countExamples makes sums, whose last two are of the loss, count so many examples.
func countExamples(sums, count *graph.Node) *graph.Node {
	n := sums.Shape().Dimensions[0]
	mean := graph.Div(graph.Slice(sums, graph.AxisRange(n-2, n-1)), graph.MaxScalar(graph.Slice(sums, graph.AxisRange(n-1, n)), 1))
	counts := graph.Reshape(count, 1)
	return graph.Concatenate([]*graph.Node{graph.Slice(sums, graph.AxisRange(0, n-2)), graph.Mul(mean, counts), counts}, 0)
}

// examplesLosses are the losses of single examples, [batch], without penalties.
func (m *Model) examplesLosses(f *network.Flow, y []*graph.Node, w *graph.Node) (sum *graph.Node) {
	c, names := m.compiled, m.OutputNames()
	for i, o := range m.trained() {
		raw := f.Values[m.Outputs[o]]
		output, mask := graph.ConvertDType(raw, dtypes.Float32), f.Masks[m.Outputs[o]]
		l, from := m.lossFrom(f, c.lossOf(names[o]), raw, output)
		values := l.Compute(y[i], from)
		batch := output.Shape().Dimensions[0]
		if values.Rank() == 0 || values.Shape().Dimensions[0] != batch {
			panic(fmt.Errorf("loss %T gives one number for a batch: private training needs one for each example, of shape [batch, …]", l))
		}
		own := perExample(values, mask)
		if w != nil {
			for w.Rank() > 1 {
				w = graph.Squeeze(w, -1)
			}
			own = graph.Mul(own, graph.ConvertDType(w, own.DType()))
		}
		if factor, ok := c.LossWeights[names[o]]; ok {
			own = graph.MulScalar(own, factor)
		}
		sum = plus(sum, own)
	}
	return sum
}

// lossFrom is the loss of an output, computed from its logits where it can be.
func (m *Model) lossFrom(f *network.Flow, l losses.Loss, raw, output *graph.Node) (losses.Loss, *graph.Node) {
	if better, ok := config.As[losses.FromLogits](l); ok {
		if logits, ok := f.Pass.Logits(raw); ok {
			if better, ok := better.OfLogits(logits.Of); ok {
				return better, graph.ConvertDType(logits.Node, dtypes.Float32)
			}
		}
	}
	return l, output
}

// perExample is the mean of [batch, …] over all but the batch, of what the mask counts.
func perExample(values, mask *graph.Node) *graph.Node {
	d := values.Shape().Dimensions
	flat := graph.Reshape(values, d[0], values.Shape().Size()/d[0])
	if mask == nil || mask.Rank() < 2 || mask.Rank() > values.Rank() {
		return graph.ReduceMean(flat, 1)
	}
	counts := graph.ConvertDType(mask, values.DType())
	counts = graph.ExpandAndBroadcast(counts, d, axesBehind(mask.Rank(), values.Rank()))
	counts = graph.Reshape(counts, flat.Shape().Dimensions...)
	return graph.Div(graph.ReduceSum(graph.Mul(flat, counts), 1), graph.MaxScalar(graph.ReduceSum(counts, 1), 1e-7))
}

// oneByOne is the sum of bounded gradients, each of a batch of one.
func (s *Step) oneByOne(present *graph.Node, clip float64) (sums []*graph.Node) {
	trained := s.updater.trained()
	random := s.flow.Pass.Random
	one := func(n *graph.Node, i int) *graph.Node { return graph.Slice(n, graph.AxisRange(i, i+1)) }
	for i := range present.Shape().Dimensions[0] {
		var x, y []*graph.Node
		for _, n := range s.X {
			x = append(x, one(n, i))
		}
		for _, n := range s.Y {
			y = append(y, one(n, i))
		}
		var w *graph.Node
		if s.W != nil {
			w = one(s.W, i)
		}
		f := s.model.Forward(s.updater.weights, x, random, true)
		random = f.Pass.Random
		gradients := graph.Gradient(graph.ReduceAllSum(s.model.examplesLosses(f, y, w)), trained...)
		var square *graph.Node
		for _, g := range gradients {
			square = plus(square, graph.ReduceAllSum(graph.Square(g)))
		}
		factor := bound(graph.Reshape(square, 1), one(present, i), clip)
		for k, g := range gradients {
			wide := graph.BroadcastToDims(graph.Reshape(factor), g.Shape().Dimensions...)
			g = kept(graph.Mul(g, wide), wide)
			if i == 0 {
				sums = append(sums, g)
			} else {
				sums[k] = graph.Add(sums[k], g)
			}
		}
	}
	s.flow.Pass.Random = random
	return sums
}

// bound is by what the gradient of each example is multiplied, whose length squared is
// known: [batch]. Nothing comes of a gradient that is not finite.
func bound(square, present *graph.Node, clip float64) *graph.Node {
	length := graph.Sqrt(graph.MaxScalar(square, 1e-30))
	// A little less, since the length is rounded.
	factor := graph.MinScalar(graph.Div(graph.Scalar(square.Graph(), square.DType(), clip*(1-1e-6)), length), 1)
	factor = graph.Mul(factor, present)
	return graph.Where(graph.IsFinite(square), factor, graph.ZerosLike(factor))
}

// privateStep makes gradients of sums, and says whether the step is to be made, the optimizer's
// iteration, and what is kept of sums until then.
func (u *updater) privateStep(penalties *graph.Node, before func(i int) *graph.Node) (gradients []*graph.Node, iteration, due *graph.Node, kept []*graph.Node) {
	p, c := u.private, u.model.compiled.Privacy
	due = graph.GreaterThan(p.due, graph.ScalarZero(p.due.Graph(), p.due.DType()))
	var extra []*graph.Node
	if penalties != nil {
		extra = graph.Gradient(penalties, u.trained()...)
	}
	at := 0
	for i, sum := range u.gradients {
		sum = graph.Add(sum, before(i))
		kept = append(kept, graph.Where(graph.BroadcastToDims(due, sum.Shape().Dimensions...), graph.ZerosLike(sum), sum))
		n := sum.Shape().Size()
		noise := graph.Reshape(graph.Slice(p.noise, graph.AxisRange(at, at+n)), sum.Shape().Dimensions...)
		at += n
		gradient := graph.DivScalar(graph.Add(sum, graph.MulScalar(noise, c.ClipNorm*c.NoiseMultiplier)), float64(u.model.compiled.sample))
		if extra != nil {
			gradient = graph.Add(gradient, extra[i])
		}
		gradients = append(gradients, gradient)
	}
	return gradients, u.micro, due, kept
}
