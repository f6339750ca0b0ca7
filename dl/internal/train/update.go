package train

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// updater is what an optimizer makes of a step, in a graph.
type updater struct {
	model     *Model
	micro     *graph.Node // steps so far, with this one: float32
	rate      *graph.Node
	weights   []*graph.Node // of Model.weights
	state     []*graph.Node // of Model.state
	gradients []*graph.Node // nil until they are set
	share     *graph.Node   // of the batch, that this process has; nil if it is alone
	private   *privateNodes // of a private step, whose gradients are sums then
}

// trainedNodes are the weights that are trained.
func (u *updater) trained() (all []*graph.Node) {
	for i, w := range u.model.Weights {
		if w.Trainable() {
			all = append(all, u.weights[i])
		}
	}
	return all
}

// step returns the weights and the state after a step down the loss's gradient.
func (u *updater) step(loss *graph.Node, f *network.Flow) (weights, state []*graph.Node) {
	m, o := u.model, u.model.compiled.Optimizer.Common()
	state = u.state
	gradients := u.gradients
	var scale, good, sound *graph.Node
	if m.Policy == dtypes.Float16 {
		scale, good = state[len(state)-2], state[len(state)-1]
		state = state[:len(state)-2]
	}
	if gradients == nil {
		gradients, sound = u.gradientsOf(loss, scale)
	}
	gradients = u.overAll(gradients)
	names := m.compiled.slotNames()
	place := func(name string) int {
		return slices.IndexFunc(names, func(s optimizers.Slot) bool { return s.Name == name })
	}
	per, acc, ema := len(names), place("accumulated"), place("average")
	iteration, due, gradients, summed := u.gathered(gradients, f, func(i int) *graph.Node { return state[i*per+acc] })
	gradients = clip(o, gradients)
	keep := func(now, before *graph.Node) *graph.Node { // where the step does not count
		return where(sound, where(due, now, before), before)
	}
	s := optimizers.Step{Iteration: iteration, LearningRate: u.rate}
	slots := len(m.compiled.Optimizer.Slots())
	var nextState []*graph.Node
	k := 0
	for i, w := range m.Weights {
		before := cmp.Or(f.Updates[w.Variable], u.weights[i]) // a layer may have changed it
		next := before
		if !w.Trainable() {
			weights = append(weights, next)
			continue
		}
		own := state[k*per : (k+1)*per]
		if o.WeightDecay > 0 {
			next = graph.Sub(next, graph.Mul(next, graph.MulScalar(u.rate, o.WeightDecay)))
		}
		next, changed := m.compiled.Optimizer.Apply(s, next, gradients[k], own[:slots])
		if w.Constraint != nil {
			next = w.Constraint.Apply(next)
		}
		next = keep(next, before)
		weights = append(weights, next)
		for j, c := range changed {
			nextState = append(nextState, keep(c, own[j]))
		}
		if acc >= 0 {
			nextState = append(nextState, summed[k])
		}
		if ema >= 0 {
			nextState = append(nextState, u.averaged(o, own[ema], next, keep))
		}
		k++
	}
	if scale != nil {
		scale, good = rescale(scale, good, sound)
		nextState = append(nextState, scale, good)
	}
	return weights, nextState
}

// gradientsOf returns the gradients of the loss, which is multiplied by scale on the way, and
// whether they are sound; without a scale both are nil.
func (u *updater) gradientsOf(loss, scale *graph.Node) (gradients []*graph.Node, sound *graph.Node) {
	if scale == nil {
		return graph.Gradient(loss, u.trained()...), nil
	}
	gradients = graph.Gradient(graph.Mul(loss, scale), u.trained()...)
	return gradients, unscale(gradients, scale)
}

// gathered are the gradients of a whole step, where it takes several batches; see accumulate.
// kept is what is remembered of their sums.
func (u *updater) gathered(gradients []*graph.Node, f *network.Flow, before func(i int) *graph.Node) (iteration, due *graph.Node, all, kept []*graph.Node) {
	if u.private != nil {
		all, iteration, due, kept = u.privateStep(u.model.penalty(f), before)
		return iteration, due, all, kept
	}
	steps := max(u.model.compiled.Optimizer.Common().GradientAccumulationSteps, 1)
	iteration, due, sums := u.accumulate(steps, gradients, before)
	for _, sum := range sums {
		kept = append(kept, where(due, graph.ZerosLike(sum), sum))
	}
	return iteration, due, gradients, kept
}

// averaged is the running mean of a weight; of a private training it changes with the weight only.
func (u *updater) averaged(o optimizers.Options, mean, next *graph.Node, keep func(now, before *graph.Node) *graph.Node) *graph.Node {
	now := average(o, u.micro, mean, next)
	if u.private != nil {
		return keep(now, mean)
	}
	return now
}

// accumulate makes gradients the means of those of n steps. It returns the iteration, of which
// there is one for n steps; whether this step ends one, nil if each does; and the sums.
func (u *updater) accumulate(n int, gradients []*graph.Node, before func(i int) *graph.Node) (iteration, due *graph.Node, summed []*graph.Node) {
	if n == 1 {
		return u.micro, nil, nil
	}
	iteration = graph.Floor(graph.DivScalar(u.micro, float64(n)))
	due = graph.Equal(graph.MulScalar(iteration, float64(n)), u.micro)
	for i := range gradients {
		sum := graph.Add(gradients[i], before(i))
		summed = append(summed, sum)
		gradients[i] = graph.DivScalar(sum, float64(n))
	}
	return iteration, due, summed
}

// where is yes if cond, a scalar, holds or is nil, and else no.
func where(cond, yes, no *graph.Node) *graph.Node {
	if cond == nil {
		return yes
	}
	return graph.Where(graph.BroadcastToDims(cond, yes.Shape().Dimensions...), yes, no)
}

// average is the running mean of a weight, which begins with its value after the first
// step.
func average(o optimizers.Options, step, mean, w *graph.Node) *graph.Node {
	momentum := o.EMAMomentum
	if momentum == 0 {
		momentum = 0.99
	}
	later := graph.ConvertDType(graph.GreaterThan(step, graph.Scalar(step.Graph(), step.DType(), 1.0)), w.DType())
	part := graph.MulScalar(later, momentum)
	return graph.Add(graph.Mul(mean, part), graph.Mul(w, graph.OneMinus(part)))
}

// clip bounds gradients, as Options say.
func clip(o optimizers.Options, gradients []*graph.Node) []*graph.Node {
	shorten := func(g, length *graph.Node, limit float64) *graph.Node {
		return graph.Div(graph.MulScalar(g, limit), graph.MaxScalar(length, limit))
	}
	out := make([]*graph.Node, len(gradients))
	switch {
	case o.ClipValue > 0:
		for i, g := range gradients {
			out[i] = graph.ClipScalar(g, -o.ClipValue, o.ClipValue)
		}
	case o.ClipNorm > 0:
		for i, g := range gradients {
			out[i] = shorten(g, graph.Sqrt(graph.ReduceAllSum(graph.Square(g))), o.ClipNorm)
		}
	case o.GlobalClipNorm > 0 && len(gradients) > 0:
		var sum *graph.Node
		for _, g := range gradients {
			sum = plus(sum, graph.ReduceAllSum(graph.Square(g)))
		}
		for i, g := range gradients {
			out[i] = shorten(g, graph.Sqrt(sum), o.GlobalClipNorm)
		}
	default:
		return gradients
	}
	return out
}

// unscale divides gradients by the scale of the loss, and says whether all of them are
// finite.
func unscale(gradients []*graph.Node, scale *graph.Node) *graph.Node {
	var worst *graph.Node
	for i, g := range gradients {
		gradients[i] = graph.Div(g, scale)
		bad := graph.ReduceAllMax(graph.ConvertDType(graph.LogicalNot(graph.IsFinite(g)), dtypes.Float32))
		if worst == nil {
			worst = bad
		} else {
			worst = graph.Max(worst, bad)
		}
	}
	sound := graph.Equal(worst, graph.ZerosLike(worst))
	for i, g := range gradients { // or NaN times 0 would come through
		gradients[i] = where(sound, g, graph.ZerosLike(g))
	}
	return sound
}

// growthSteps is how many steps without overflow it takes for the scale to be doubled,
// as in Keras.
const growthSteps = 2000

// rescale halves the scale of the loss after an overflow, and doubles it when there has
// been none for long.
func rescale(scale, good, sound *graph.Node) (nextScale, nextGood *graph.Node) {
	count := graph.OnePlus(good)
	grow := graph.GreaterOrEqual(count, graph.Scalar(scale.Graph(), scale.DType(), float64(growthSteps)))
	up := graph.Where(grow, graph.MulScalar(scale, 2.0), scale)
	count = graph.Where(grow, graph.ZerosLike(count), count)
	return graph.Where(sound, up, graph.MulScalar(scale, 0.5)), graph.Where(sound, count, graph.ZerosLike(count))
}

// Steps are an optimizer's steps on weights by gradients that are given, one for each weight and
// step: what Fit does with them, and nothing around it.
func Steps(o optimizers.Optimizer, weights []*graph.Node, gradients [][]*graph.Node) []*graph.Node {
	g := weights[0].Graph()
	m := New(&network.Network{})
	m.compiled = &compiled{CompileConfig: CompileConfig{Optimizer: o}, slots: make(map[*network.Variable][]*network.Variable)}
	for i, w := range weights {
		m.Weights = append(m.Weights, network.Weight{Name: fmt.Sprint(i), Variable: network.NewVariable(w.Shape().Dimensions, nil)})
	}
	m.prepareSlots()
	var state []*graph.Node
	for _, s := range m.state() {
		values, err := s.Values()
		if err != nil {
			panic(err)
		}
		state = append(state, graph.Reshape(graph.Const(g, values), s.Shape.Dimensions...))
	}
	for k := range gradients {
		rate := o.Rate()
		if s := o.Common().Schedule; s != nil {
			rate = s.Rate(k / max(o.Common().GradientAccumulationSteps, 1))
		}
		u := &updater{
			model: m, micro: graph.Scalar(g, dtypes.Float32, float64(k+1)), rate: graph.Scalar(g, dtypes.Float32, rate),
			weights: weights, state: state, gradients: gradients[k],
		}
		weights, state = u.step(nil, &network.Flow{})
	}
	return weights
}
