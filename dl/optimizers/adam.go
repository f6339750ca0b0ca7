package optimizers

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/tensor"
)

// Adam scales each weight's step by running means of its gradient and of the
// gradient's square:
//
//	m ← m + (g − m)(1 − β₁),  v ← v + (g² − v)(1 − β₂)
//	w ← w − η √(1−β₂ᵗ)/(1−β₁ᵗ) · m / (√v + ε)
//
// Source: Kingma and Ba, 2014 (arXiv:1412.6980), in the form of
// https://keras.io/api/optimizers/adam/, where ε is the paper's ε̂.
type Adam struct {
	// LearningRate is η; 0 means 0.001.
	LearningRate float64
	// Beta1 and Beta2 are β₁ and β₂; 0 means 0.9 and 0.999.
	Beta1 float64 `keras:"beta_1"`
	Beta2 float64 `keras:"beta_2"`
	// Epsilon is ε; 0 means 1e-7.
	Epsilon float64
	// AMSGrad divides by the largest v so far (Reddi et al., 2018).
	AMSGrad bool `keras:"amsgrad"`
	Options
}

// Name implements Optimizer.
func (Adam) Name() string { return "adam" }

// Rate implements Optimizer.
func (o Adam) Rate() float64 { return o.rate(o.LearningRate, 0.001) }

// Check implements Optimizer.
func (o Adam) Check() error {
	return check("Adam", o.LearningRate, o.Options, checkFraction("Beta1", o.Beta1), checkFraction("Beta2", o.Beta2), checkEpsilon(o.Epsilon))
}

// Slots implements Optimizer.
func (o Adam) Slots() []Slot {
	if o.AMSGrad {
		return slots("momentum", "velocity", "velocity_hat")
	}
	return slots("momentum", "velocity")
}

// Apply implements Optimizer.
func (o Adam) Apply(s Step, w, g *tensor.Node, slots []*tensor.Node) (*tensor.Node, []*tensor.Node) {
	beta1, beta2 := orDefault(o.Beta1, 0.9), orDefault(o.Beta2, 0.999)
	alpha := graph.Mul(s.LearningRate, graph.Div(graph.Sqrt(left(w, s.Iteration, beta2)), left(w, s.Iteration, beta1)))
	m, v := toward(slots[0], g, beta1), toward(slots[1], graph.Square(g), beta2)
	next, by := []*tensor.Node{m, v}, v
	if o.AMSGrad {
		by = graph.Max(slots[2], v)
		next = append(next, by)
	}
	step := graph.Div(graph.Mul(m, alpha), graph.AddScalar(graph.Sqrt(by), orDefault(o.Epsilon, 1e-7)))
	return graph.Sub(w, step), next
}

// AdamW is Adam with a WeightDecay of 0.004 unless it is set.
//
// Source: Loshchilov and Hutter, 2017 (arXiv:1711.05101);
// https://keras.io/api/optimizers/adamw/
type AdamW struct {
	// LearningRate is η; 0 means 0.001.
	LearningRate float64
	// WeightDecay 0 means 0.004.
	WeightDecay float64
	// Beta1 and Beta2 are β₁ and β₂; 0 means 0.9 and 0.999.
	Beta1 float64 `keras:"beta_1"`
	Beta2 float64 `keras:"beta_2"`
	// Epsilon is ε; 0 means 1e-7.
	Epsilon float64
	// AMSGrad divides by the largest v so far.
	AMSGrad bool `keras:"amsgrad"`
	Options
}

// Name implements Optimizer.
func (AdamW) Name() string { return "adamw" }

func (o AdamW) adam() Adam {
	return Adam{o.LearningRate, o.Beta1, o.Beta2, o.Epsilon, o.AMSGrad, o.Common()}
}

// Common implements Optimizer.
func (o AdamW) Common() Options {
	c := o.Options
	c.WeightDecay = orDefault(o.WeightDecay, orDefault(c.WeightDecay, 0.004))
	return c
}

// Rate implements Optimizer.
func (o AdamW) Rate() float64 { return o.adam().Rate() }

// Check implements Optimizer.
func (o AdamW) Check() error { return o.adam().Check() }

// Slots implements Optimizer.
func (o AdamW) Slots() []Slot { return o.adam().Slots() }

// Apply implements Optimizer.
func (o AdamW) Apply(s Step, w, g *tensor.Node, slots []*tensor.Node) (*tensor.Node, []*tensor.Node) {
	return o.adam().Apply(s, w, g, slots)
}

// Adamax is Adam with the largest gradient, slowly forgotten, in place of the root of
// the mean square.
//
// Source: Kingma and Ba, 2014; https://keras.io/api/optimizers/adamax/
type Adamax struct {
	// LearningRate 0 means 0.001.
	LearningRate float64
	// Beta1 and Beta2: 0 means 0.9 and 0.999.
	Beta1 float64 `keras:"beta_1"`
	Beta2 float64 `keras:"beta_2"`
	// Epsilon 0 means 1e-7.
	Epsilon float64
	Options
}

// Name implements Optimizer.
func (Adamax) Name() string { return "adamax" }

// Rate implements Optimizer.
func (o Adamax) Rate() float64 { return o.rate(o.LearningRate, 0.001) }

// Check implements Optimizer.
func (o Adamax) Check() error {
	return check("Adamax", o.LearningRate, o.Options, checkFraction("Beta1", o.Beta1), checkFraction("Beta2", o.Beta2), checkEpsilon(o.Epsilon))
}

// Slots implements Optimizer.
func (Adamax) Slots() []Slot { return slots("momentum", "norm") }

// Apply implements Optimizer.
func (o Adamax) Apply(s Step, w, g *tensor.Node, slots []*tensor.Node) (*tensor.Node, []*tensor.Node) {
	beta1 := orDefault(o.Beta1, 0.9)
	m := toward(slots[0], g, beta1)
	u := graph.Max(graph.MulScalar(slots[1], orDefault(o.Beta2, 0.999)), graph.Abs(g))
	rate := graph.Div(s.LearningRate, left(w, s.Iteration, beta1))
	step := graph.Div(graph.Mul(m, rate), graph.AddScalar(u, orDefault(o.Epsilon, 1e-7)))
	return graph.Sub(w, step), []*tensor.Node{m, u}
}

// Nadam is Adam with Nesterov's look-ahead.
//
// Source: Dozat, 2015; https://keras.io/api/optimizers/Nadam/
type Nadam struct {
	// LearningRate 0 means 0.001.
	LearningRate float64
	// Beta1 and Beta2: 0 means 0.9 and 0.999.
	Beta1 float64 `keras:"beta_1"`
	Beta2 float64 `keras:"beta_2"`
	// Epsilon 0 means 1e-7.
	Epsilon float64
	Options
}

// Name implements Optimizer.
func (Nadam) Name() string { return "nadam" }

// Rate implements Optimizer.
func (o Nadam) Rate() float64 { return o.rate(o.LearningRate, 0.001) }

// Check implements Optimizer.
func (o Nadam) Check() error {
	return check("Nadam", o.LearningRate, o.Options, checkFraction("Beta1", o.Beta1), checkFraction("Beta2", o.Beta2), checkEpsilon(o.Epsilon))
}

// Slots implements Optimizer.
func (Nadam) Slots() []Slot {
	return append(slots("momentum", "velocity"), Slot{Name: "u_product", Scalar: true, Initial: 1})
}

// Apply implements Optimizer.
func (o Nadam) Apply(s Step, w, g *tensor.Node, slots []*tensor.Node) (*tensor.Node, []*tensor.Node) {
	beta1, beta2 := orDefault(o.Beta1, 0.9), orDefault(o.Beta2, 0.999)
	u := func(step *tensor.Node) *tensor.Node { // β₁(1 − 0.96ᵗ/2)
		return graph.MulScalar(graph.OneMinus(graph.MulScalar(graph.Pow(graph.Scalar(w.Graph(), w.DType(), 0.96), step), 0.5)), beta1)
	}
	ut, ut1 := u(s.Iteration), u(graph.OnePlus(s.Iteration))
	product := graph.Mul(slots[2], ut)
	m, v := toward(slots[0], g, beta1), toward(slots[1], graph.Square(g), beta2)
	mHat := graph.Add(
		graph.Div(graph.Mul(m, ut1), graph.OneMinus(graph.Mul(product, ut1))),
		graph.Div(graph.Mul(g, graph.OneMinus(ut)), graph.OneMinus(product)))
	vHat := graph.Div(v, left(w, s.Iteration, beta2))
	step := graph.Div(graph.Mul(mHat, s.LearningRate), graph.AddScalar(graph.Sqrt(vHat), orDefault(o.Epsilon, 1e-7)))
	return graph.Sub(w, step), []*tensor.Node{m, v, product}
}
