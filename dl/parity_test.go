package dl_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/format"
	"github.com/gradbook/gradbook/dl/internal/kerastest"
	"github.com/gradbook/gradbook/dl/internal/network"
	internalops "github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/internal/pass"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	_ "github.com/gradbook/gradbook/dl/ops" // operations are cases too
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/schedules"
)

var parityTable = flag.String("parity", "", "write the table of TestParity to this file (make parity)")

type parityCase struct{ *kerastest.Case }

func parityCases(t testing.TB) (all []*parityCase, versions string) {
	t.Helper()
	cases, versions := kerastest.Cases(t)
	for _, c := range cases {
		all = append(all, &parityCase{c})
	}
	return all, versions
}

// parityResult is the worst difference of a case, relative to each value or, where
// that is larger, to 1.
type parityResult struct {
	c     *parityCase
	worst float64
	err   error
}

const parityTolerance = 1e-5

func (r *parityResult) compare(what string, got *tensors.Tensor, want *tensors.Tensor) {
	if want == nil || r.err != nil {
		return
	}
	if !slices.Equal(got.Shape().Dimensions, want.Shape().Dimensions) {
		r.err = fmt.Errorf("%s: expected shape %v, got %v", what, want.Shape(), got.Shape())
		return
	}
	g, w := kerastest.Floats(got), kerastest.Floats(want)
	// Sums over many values round by the size of what is added up.
	scale := 1.0
	for _, v := range w {
		scale = math.Max(scale, math.Abs(v))
	}
	for i := range w {
		if math.IsNaN(w[i]) && math.IsNaN(g[i]) {
			continue
		}
		d := math.Abs(g[i]-w[i]) / scale
		if math.IsNaN(d) {
			d = math.Inf(1)
		}
		if d > r.worst {
			r.worst = d
		}
		if d > kerastest.Tolerance(parityTolerance) && r.err == nil {
			r.err = fmt.Errorf("%s: value %d: expected %g, got %g", what, i, w[i], g[i])
		}
	}
}

// paritySum counts cases.
type paritySum struct {
	sync.Mutex
	agree, of int
	worst     *parityResult
}

// add says now and then how many there are: on a GPU, time may end before the last.
func (s *paritySum) add(t *testing.T, r *parityResult) {
	s.Lock()
	defer s.Unlock()
	if s.of++; r.err == nil {
		s.agree++
	}
	if s.worst == nil || r.worst > s.worst.worst {
		s.worst = r
	}
	if s.of%50 == 0 {
		s.log(t)
	}
}

func (s *paritySum) log(t *testing.T) {
	t.Logf("%d of %d cases agree within %g; the worst differs by %.2g (%s %s)", s.agree, s.of, kerastest.Tolerance(parityTolerance), s.worst.worst, s.worst.c.Kind, s.worst.c.Name)
}

// TestParity compares layers, activations, losses, metrics, optimizers, schedules,
// regularizers and constraints with Keras's, on the same numbers: what comes out, and
// the gradients. Each is made from Keras's own description.
func TestParity(t *testing.T) {
	cases, versions := parityCases(t)
	results := make([]*parityResult, len(cases))
	var sum paritySum
	var wg sync.WaitGroup
	next := make(chan int)
	for range max(2, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := range next {
				results[i] = cases[i].run()
				sum.add(t, results[i])
			}
		})
	}
	tried := make(map[string]int)
	for i, c := range cases {
		of := c.Kind + c.Object.Class
		if tried[of]++; testing.Short() && tried[of] > 1 {
			continue // the others of this layer, loss or optimizer: make check
		}
		next <- i
	}
	close(next)
	wg.Wait()
	for _, r := range results {
		if r != nil && r.err != nil {
			t.Errorf("%s %s: %v", r.c.Kind, r.c.Name, r.err)
		}
	}
	sum.log(t)
	if len(results) < 400 {
		t.Errorf("expected at least 400 cases, got %d", len(results))
	}
	if *parityTable != "" {
		if err := os.WriteFile(*parityTable, []byte(parityPage(results, versions)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (c *parityCase) run() (r *parityResult) {
	r = &parityResult{c: c}
	defer func() {
		if p := recover(); p != nil {
			r.err = fmt.Errorf("panic: %v", p)
		}
	}()
	run := map[string]func(*parityResult) error{
		"layer": c.runLayer, "operation": c.runOperation, "affine": c.runAffine, "loss": c.runLoss, "metric": c.runMetric,
		"optimizer": c.runOptimizer, "schedule": c.runSchedule, "regularizer": c.runRegularizer, "constraint": c.runConstraint,
	}[c.Kind]
	if run == nil {
		r.err = fmt.Errorf("unknown kind %q", c.Kind)
	} else if err := run(r); err != nil {
		r.err = err
	}
	return r
}

// layer makes the layer, and its specification for the inputs of the case.
func (c *parityCase) layer() (layers.Layer, layers.Spec, error) {
	l, err := config.Decode[layers.Layer](c.Object)
	if err != nil {
		return nil, layers.Spec{}, err
	}
	for name, on := range map[string]bool{"use_causal_mask": c.Causal, "return_attention_scores": c.Scores} {
		if a, ok := l.(layers.KerasCaller); ok && on {
			if l, ok = a.WithKerasArgument(name, on); !ok {
				return nil, layers.Spec{}, fmt.Errorf("the argument %s is not known", name)
			}
		}
	}
	var in []layers.Shape
	for _, x := range c.Numbered("x") {
		in = append(in, x.Shape().Dimensions[1:])
	}
	spec, err := network.BuildOf(l, in)
	return l, spec, err
}

func (c *parityCase) runLayer(r *parityResult) error {
	l, spec, err := c.layer()
	if err != nil {
		return err
	}
	xs, rs, ws := c.Numbered("x"), c.Numbered("r"), c.Numbered("w")
	if len(ws) != len(spec.Weights) {
		return fmt.Errorf("expected %d weights, got %d", len(ws), len(spec.Weights))
	}
	for i, w := range spec.Weights {
		if !w.Shape.Equal(ws[i].Shape().Dimensions) {
			return fmt.Errorf("weight %q: expected shape %v, got %v", w.Name, ws[i].Shape().Dimensions, w.Shape)
		}
	}
	all := slices.Concat(xs, rs, ws)
	var masks []*tensors.Tensor
	for i := range xs {
		masks = append(masks, c.Get(fmt.Sprintf("mask%d", i)))
	}
	for _, m := range masks {
		if m != nil {
			all = append(all, m)
		}
	}
	var updated []string
	out, err := kerastest.Compute(func(in []*graph.Node) []*graph.Node {
		x, rest := in[:len(xs)], in[len(xs):]
		rn, wn, mn := rest[:len(rs)], rest[len(rs):len(rs)+len(ws)], rest[len(rs)+len(ws):]
		outs, updates := c.call(l, spec, x, wn, masks, mn)
		for i := range outs { // of numbers
			if !outs[i].DType().IsFloat() {
				outs[i] = graph.ConvertDType(outs[i], dtypes.Float32)
			}
		}
		var sum *graph.Node
		for i := range outs {
			part := graph.ReduceAllSum(graph.Mul(outs[i], rn[i]))
			if sum == nil {
				sum = part
			} else {
				sum = graph.Add(sum, part)
			}
		}
		if c.Get("dx0") != nil {
			outs = append(slices.Clone(outs), graph.Gradient(sum, slices.Concat(x, wn)...)...)
		}
		for _, w := range spec.Weights {
			if u, ok := updates[w.Name]; ok {
				updated = append(updated, w.Name)
				outs = append(outs, u)
			}
		}
		return outs
	}, all...)
	if err != nil {
		return err
	}
	ys := c.Numbered("y")
	for i, y := range ys {
		r.compare(fmt.Sprintf("output %d", i), out[i], y)
	}
	out = out[len(ys):]
	if c.Get("dx0") != nil {
		for i := range xs {
			r.compare(fmt.Sprintf("gradient by input %d", i), out[i], c.Get(fmt.Sprintf("dx%d", i)))
		}
		for i, w := range spec.Weights {
			r.compare("gradient by "+w.Name, out[len(xs)+i], c.Get(fmt.Sprintf("dw%d", i)))
		}
		out = out[len(xs)+len(ws):]
	}
	for i, w := range spec.Weights {
		if at := slices.Index(updated, w.Name); at >= 0 {
			r.compare(w.Name+" after the step", out[at], c.Get(fmt.Sprintf("after%d", i)))
		}
	}
	return nil
}

// call adds the layer to a graph.
func (c *parityCase) call(l layers.Layer, spec layers.Spec, x, w []*graph.Node, masks []*tensors.Tensor, maskNodes []*graph.Node) ([]*graph.Node, map[string]*graph.Node) {
	byName := make(map[string]*graph.Node)
	for i, s := range spec.Weights {
		byName[s.Name] = w[i]
	}
	var m []*graph.Node
	for _, given := range masks {
		if given == nil {
			m = append(m, nil)
			continue
		}
		m, maskNodes = append(m, maskNodes[0]), maskNodes[1:]
	}
	outs, _, updates := pass.Call(pass.New(c.Training, nil, dtypes.InvalidDType), pass.Layer{Layer: l, Spec: spec, Name: "layer", Trainable: true, Weights: byName}, x, m)
	return outs, updates
}

// runOperation computes an operation of nodes, whose first axes need not be one batch.
func (c *parityCase) runOperation(r *parityResult) error {
	l, err := config.Decode[layers.Multi](c.Object)
	if err != nil {
		return err
	}
	xs := c.Numbered("x")
	out, err := kerastest.Compute(func(in []*graph.Node) []*graph.Node {
		y := l.CallAll(nil, in[:len(xs)])[0]
		outs := []*graph.Node{y}
		if c.Get("dx0") != nil {
			outs = append(outs, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, in[len(xs)])), in[:len(xs)]...)...)
		}
		return outs
	}, append(xs, c.Get("r0"))...)
	if err != nil {
		return err
	}
	r.compare("output", out[0], c.Get("y0"))
	for i := range out[1:] {
		r.compare(fmt.Sprintf("gradient by input %d", i), out[1+i], c.Get(fmt.Sprintf("dx%d", i)))
	}
	return nil
}

func (c *parityCase) runAffine(r *parityResult) error {
	fill := layers.Fill{FillMode: c.Object.Class, FillValue: 0.5}
	if err := fill.Interpolation.UnmarshalText([]byte(c.Object.Config["interpolation"].(string))); err != nil {
		return err
	}
	out, err := kerastest.Compute(func(in []*graph.Node) []*graph.Node {
		return []*graph.Node{fill.Affine(in[0], in[1])}
	}, c.Get("x0"), c.Get("x1"))
	if err != nil {
		return err
	}
	r.compare("image", out[0], c.Get("y0"))
	return nil
}

func sumOf(a, b *graph.Node) *graph.Node {
	if a == nil {
		return b
	}
	return graph.Add(a, b)
}

func (c *parityCase) runLoss(r *parityResult) error {
	l, err := config.Decode[losses.Loss](c.Object)
	if err != nil {
		return err
	}
	labels, output := c.Get("labels"), c.Get("output")
	if err := l.Check(labels.Shape().Dimensions[1:], output.Shape().Dimensions[1:]); err != nil {
		return err
	}
	out, err := kerastest.Compute(func(in []*graph.Node) []*graph.Node {
		loss := graph.ReduceAllMean(l.Compute(in[0], in[1]))
		return append([]*graph.Node{graph.Reshape(loss, 1)}, graph.Gradient(loss, in[1])...)
	}, labels, output)
	if err != nil {
		return err
	}
	r.compare("loss", out[0], c.Get("loss"))
	r.compare("gradient", out[1], c.Get("gradient"))
	return nil
}

func (c *parityCase) runMetric(r *parityResult) error {
	m, err := format.DescribedMetric(map[string]any{"class_name": c.Object.Class, "config": c.Object.Config})
	if err != nil {
		return err
	}
	labels, output, weights := c.Get("labels"), c.Get("output"), c.Get("weights")
	if err := m.Check(labels.Shape().Dimensions[1:], output.Shape().Dimensions[1:]); err != nil {
		return err
	}
	in := []*tensors.Tensor{labels, output}
	if weights != nil {
		in = append(in, weights)
	}
	result := func(s []float64) float64 { return s[0] / max(s[1], 1e-30) }
	a, sums := m.(metrics.Accumulator)
	out, err := kerastest.Compute(func(in []*graph.Node) []*graph.Node {
		var total *graph.Node
		half := labels.Shape().Dimensions[0] / 2
		for _, part := range []graph.SliceAxisSpec{graph.AxisRange(0, half), graph.AxisRangeToEnd(half)} {
			var w *graph.Node
			if len(in) > 2 {
				w = graph.SliceAxis(in[2], 0, part)
			}
			y, p := graph.SliceAxis(in[0], 0, part), graph.SliceAxis(in[1], 0, part)
			if sums {
				total = sumOf(total, a.Sums(y, p, w))
			} else {
				total = sumOf(total, internalops.MeanSums(m.Compute(y, p), w))
			}
		}
		return []*graph.Node{total}
	}, in...)
	if err != nil {
		return err
	}
	if sums {
		result = a.Result
	}
	r.compare("value", tensors.FromValue([]float32{float32(result(kerastest.Floats(out[0])))}), c.Get("value"))
	return nil
}

// runOptimizer does 20 steps as a training step does them.
func (c *parityCase) runOptimizer(r *parityResult) error {
	o, err := config.Decode[optimizers.Optimizer](c.Object)
	if err != nil {
		return err
	}
	if err := o.Check(); err != nil {
		return err
	}
	starts, gradients := c.Numbered("start"), c.Numbered("gradients")
	out, err := kerastest.Compute(func(in []*graph.Node) []*graph.Node {
		steps := make([][]*graph.Node, gradients[0].Shape().Dimensions[0])
		for k := range steps {
			for _, d := range in[len(starts):] {
				steps[k] = append(steps[k], graph.Squeeze(graph.SliceAxis(d, 0, graph.AxisElem(k)), 0))
			}
		}
		return train.Steps(o, in[:len(starts)], steps)
	}, slices.Concat(starts, gradients)...)
	if err != nil {
		return err
	}
	for i, w := range out {
		r.compare(fmt.Sprintf("weight %d after 20 steps", i), w, c.Get(fmt.Sprintf("end%d", i)))
	}
	return nil
}

func (c *parityCase) runSchedule(r *parityResult) error {
	s, err := config.Decode[schedules.Schedule](c.Object)
	if err != nil {
		return err
	}
	want := c.Get("rates")
	var got []float32
	for i := range want.Shape().Dimensions[0] {
		got = append(got, float32(s.Rate(i)))
	}
	r.compare("rates", tensors.FromValue(got), want)
	return s.Check()
}

func (c *parityCase) runRegularizer(r *parityResult) error {
	reg, err := config.Decode[regularizers.Regularizer](c.Object)
	if err != nil {
		return err
	}
	out, err := kerastest.Compute(func(in []*graph.Node) []*graph.Node {
		cost := reg.Cost(in[0])
		return append([]*graph.Node{graph.Reshape(cost, 1)}, graph.Gradient(cost, in[0])...)
	}, c.Get("x0"))
	if err != nil {
		return err
	}
	r.compare("cost", out[0], c.Get("y0"))
	r.compare("gradient", out[1], c.Get("dx0"))
	return nil
}

func (c *parityCase) runConstraint(r *parityResult) error {
	con, err := config.Decode[constraints.Constraint](c.Object)
	if err != nil {
		return err
	}
	out, err := kerastest.Compute(func(in []*graph.Node) []*graph.Node { return []*graph.Node{con.Apply(in[0])} }, c.Get("x0"))
	if err != nil {
		return err
	}
	r.compare("weight", out[0], c.Get("y0"))
	return nil
}

// TestFiniteDifferences compares the gradient of each layer with what moving its inputs
// and weights a little changes, in float64.
func TestFiniteDifferences(t *testing.T) {
	cases, _ := parityCases(t)
	seen, most := make(map[string]int), 3
	if testing.Short() {
		most = 1 // the others of a layer: make check
	}
	for _, c := range cases {
		if c.Kind != "layer" || c.Get("dx0") == nil || c.Object.Class == "Embedding" && seen["Embedding"] > 0 || c.Name == "ops.stop_gradient" {
			continue
		}
		if c.Object.Class == "SpectralNormalization" {
			continue // its gradient is that by the kernel which was divided, not by the one before
		}
		class := c.Object.Class
		if op, ok := c.Object.Config["op"].(string); ok {
			class += " " + op
		}
		if seen[class]++; seen[class] > most {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			c.checkDifferences(t)
		})
	}
	if len(seen) < 60 {
		t.Errorf("expected at least 60 layers, got %d", len(seen))
	}
}

func (c *parityCase) checkDifferences(t *testing.T) {
	l, spec, err := c.layer()
	if err != nil {
		t.Fatal(err)
	}
	const step = 1e-6
	rng := rand.New(rand.NewPCG(uint64(len(c.Name)), 1))
	xs, rs, ws := c.Numbered("x"), c.Numbered("r"), c.Numbered("w")
	var at, along []*tensors.Tensor
	for i, v := range slices.Concat(xs, ws) {
		values, direction := kerastest.Floats(v), make([]float64, v.Size())
		moves := !spec.AnyType || i > 0
		if i >= len(xs) && spec.Weights[i-len(xs)].NonTrainable {
			moves = false
		}
		for j := range values {
			if moves {
				direction[j] = rng.NormFloat64()
				values[j] += 0.1 * rng.NormFloat64() // away from ties and kinks
			}
		}
		at = append(at, tensors.FromFlatDataAndDimensions(values, v.Shape().Dimensions...))
		along = append(along, tensors.FromFlatDataAndDimensions(direction, v.Shape().Dimensions...))
	}
	var factors []*tensors.Tensor
	for _, r := range rs {
		factors = append(factors, tensors.FromFlatDataAndDimensions(kerastest.Floats(r), r.Shape().Dimensions...))
	}
	n := len(at)
	var masks []*tensors.Tensor
	for i := range xs {
		masks = append(masks, c.Get(fmt.Sprintf("mask%d", i)))
	}
	out := kerastest.Run(t, func(in []*graph.Node) []*graph.Node {
		at, along, factors := in[:n], in[n:2*n], in[2*n:2*n+len(rs)]
		var maskNodes []*graph.Node
		for _, m := range masks {
			if m != nil {
				maskNodes = append(maskNodes, graph.ConstTensor(in[0].Graph(), m))
			}
		}
		value := func(sign float64) *graph.Node {
			moved := make([]*graph.Node, n)
			for i := range at {
				moved[i] = at[i]
				if sign != 0 {
					moved[i] = graph.Add(at[i], graph.MulScalar(along[i], sign*step))
				}
			}
			outs, _ := c.call(l, spec, moved[:len(xs)], moved[len(xs):], masks, maskNodes)
			var sum *graph.Node
			for i := range outs {
				sum = sumOf(sum, graph.ReduceAllSum(graph.Mul(graph.ConvertDType(outs[i], dtypes.Float64), factors[i])))
			}
			return sum
		}
		numeric := graph.DivScalar(graph.Sub(value(1), value(-1)), 2*step)
		var analytic *graph.Node
		for i, g := range graph.Gradient(value(0), at...) {
			analytic = sumOf(analytic, graph.ReduceAllSum(graph.Mul(g, along[i])))
		}
		return []*graph.Node{graph.Reshape(numeric, 1), graph.Reshape(analytic, 1)}
	}, slices.Concat(at, along, factors)...)
	numeric, analytic := kerastest.Floats(out[0])[0], kerastest.Floats(out[1])[0]
	if d := math.Abs(numeric-analytic) / math.Max(1, math.Abs(numeric)); !(d < 1e-5) {
		t.Errorf("expected a slope of %g, as moving everything a little shows, got %g", numeric, analytic)
	}
	if numeric == 0 && !spec.AnyType {
		t.Error("nothing changes with inputs and weights: the case shows nothing")
	}
}

// parityPage is docs/parity.md.
func parityPage(results []*parityResult, versions string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Parity with Keras\n\nMade by `make parity`: do not edit.\n\n")
	fmt.Fprintf(&b, "What dl computes beside what %s computes, in %d cases, each made from Keras's own description of the layer, loss, metric, optimizer or schedule, on the same numbers in float32. ", versions, len(results))
	fmt.Fprintf(&b, "For layers: the outputs, and the gradients by every input and every weight; for losses the loss and its gradient; for metrics the value over two batches; for optimizers the weights after 20 steps. A difference is relative to the largest number of its tensor, or to 1 where all are smaller; the test refuses more than %g. The gradients are also compared with finite differences in float64 (TestFiniteDifferences).\n", parityTolerance)
	titles := [][2]string{
		{"layer", "Layers and activations"},
		{"operation", "Operations of nodes"},
		{"affine", "Images moved, turned and zoomed"},
		{"loss", "Losses"},
		{"metric", "Metrics"},
		{"optimizer", "Optimizers"},
		{"schedule", "Learning rate schedules"},
		{"regularizer", "Regularizers"},
		{"constraint", "Constraints"},
	}
	for _, title := range titles {
		fmt.Fprintf(&b, "\n## %s\n\n| case | greatest difference |\n|---|---|\n", title[1])
		for _, r := range results {
			if r.c.Kind == title[0] {
				fmt.Fprintf(&b, "| %s | %s |\n", r.c.Name, magnitude(r.worst))
			}
		}
	}
	b.WriteString(differences)
	return b.String()
}

// magnitude is a power of ten that is not exceeded: the digits before it depend on
// the machine.
func magnitude(v float64) string {
	if v < 1e-8 {
		return "< 1e-8"
	}
	return fmt.Sprintf("< 1e%d", int(math.Floor(math.Log10(v)))+1)
}

const differences = `
## What differs on purpose

| what | why |
|---|---|
| Random numbers: first weights, dropout, augmentation, shuffling | Generators differ; the distributions are the same. What a random layer does with its numbers is compared above. |
| Axes of unknown length but for the batch | XLA compiles for shapes; a model is built for one length of sequence. |
| F1Score and FBetaScore with average=None | A metric is one number here; "" means macro. |
| TimeDistributed calls its layer once for all steps | The same for layers without statistics; a BatchNormalization inside learns once a step of training, not once a step of time. |
| Masks of recurrent layers with go_backwards and return_sequences | The same numbers; Keras hands on a mask that is not turned round, so do we. |
| MaxPooling3D where several values of a window are equal | The first gets the gradient, as in one and two dimensions; TensorFlow's CPU gives it to each of them. |
| Adam and other optimizers that remember, on an Embedding | Every row is updated in every step, as in Keras on JAX and PyTorch; on TensorFlow, Keras passes over rows that a batch does not have. |
| recurrent_dropout of LSTM and GRU | One choice for all gates; Keras draws one for each. |
| sample_weight of shape (batch,) for outputs of sequences | A weight counts for all steps of its example; Keras refuses it, or takes it for one of time. |
| TextVectorization, StringLookup, IntegerLookup, Hashing in a model | XLA has no text; it becomes numbers before, on the host, by types of the same names. |
| RandomCrop outside training | The middle, as Keras's page says; Keras 3.15 returns the whole image. |
| SpectralNormalization | As in Keras on TensorFlow; on JAX the kernel that was divided is forgotten after the step. |
`
