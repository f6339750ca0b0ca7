package optimizers

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/tensor"
)

// RMSprop divides the gradient by the root of a running mean of its square:
//
//	v ← ρ v + (1 − ρ) g²,  w ← w − η g / √(v + ε)
//
// Source: Hinton, 2012; https://keras.io/api/optimizers/rmsprop/
type RMSprop struct {
	// LearningRate is η; 0 means 0.001.
	LearningRate float64
	// Rho is ρ; 0 means 0.9.
	Rho float64
	// Momentum is in [0, 1).
	Momentum float64
	// Epsilon is ε; 0 means 1e-7.
	Epsilon float64
	// Centered divides by the deviation rather than the root of the mean square.
	Centered bool
	Options
}

// Name implements Optimizer.
func (RMSprop) Name() string { return "rmsprop" }

// Rate implements Optimizer.
func (o RMSprop) Rate() float64 { return o.rate(o.LearningRate, 0.001) }

// Check implements Optimizer.
func (o RMSprop) Check() error {
	return check("RMSprop", o.LearningRate, o.Options, checkFraction("Rho", o.Rho), checkFraction("Momentum", o.Momentum), checkEpsilon(o.Epsilon))
}

// Slots implements Optimizer.
func (o RMSprop) Slots() []Slot {
	all := slots("velocity")
	if o.Momentum > 0 {
		all = append(all, slots("momentum")...)
	}
	if o.Centered {
		all = append(all, slots("average_gradient")...)
	}
	return all
}

// Apply implements Optimizer.
func (o RMSprop) Apply(s Step, w, g *tensor.Node, slots []*tensor.Node) (*tensor.Node, []*tensor.Node) {
	rho := orDefault(o.Rho, 0.9)
	mean := func(old, v *tensor.Node) *tensor.Node {
		return graph.Add(graph.MulScalar(old, rho), graph.MulScalar(v, 1-rho))
	}
	v := mean(slots[0], graph.Square(g))
	next, by := []*tensor.Node{v}, v
	var average *tensor.Node
	if o.Centered {
		average = mean(slots[len(slots)-1], g)
		by = graph.Sub(v, graph.Square(average))
	}
	step := graph.Mul(graph.Mul(g, s.LearningRate), graph.Rsqrt(graph.AddScalar(by, orDefault(o.Epsilon, 1e-7))))
	if o.Momentum > 0 {
		step = graph.Add(graph.MulScalar(slots[1], o.Momentum), step)
		next = append(next, step)
	}
	if o.Centered {
		next = append(next, average)
	}
	return graph.Sub(w, step), next
}

// Adagrad divides the gradient by the root of the sum of its squares so far:
//
//	a ← a + g²,  w ← w − η g / √(a + ε)
//
// Source: Duchi et al., 2011; https://keras.io/api/optimizers/adagrad/
type Adagrad struct {
	// LearningRate is η; 0 means 0.001.
	LearningRate float64
	// InitialAccumulatorValue is a before the first step; 0 means 0.1.
	InitialAccumulatorValue float64
	// Epsilon is ε; 0 means 1e-7.
	Epsilon float64
	Options
}

// Name implements Optimizer.
func (Adagrad) Name() string { return "adagrad" }

// Rate implements Optimizer.
func (o Adagrad) Rate() float64 { return o.rate(o.LearningRate, 0.001) }

// Check implements Optimizer.
func (o Adagrad) Check() error {
	return check("Adagrad", o.LearningRate, o.Options, checkEpsilon(o.Epsilon), checkEpsilon(o.InitialAccumulatorValue))
}

// Slots implements Optimizer.
func (o Adagrad) Slots() []Slot {
	return []Slot{{Name: "accumulator", Initial: orDefault(o.InitialAccumulatorValue, 0.1)}}
}

// Apply implements Optimizer.
func (o Adagrad) Apply(s Step, w, g *tensor.Node, slots []*tensor.Node) (*tensor.Node, []*tensor.Node) {
	a := graph.Add(slots[0], graph.Square(g))
	step := graph.Div(graph.Mul(g, s.LearningRate), graph.Sqrt(graph.AddScalar(a, orDefault(o.Epsilon, 1e-7))))
	return graph.Sub(w, step), []*tensor.Node{a}
}

// Adadelta scales each step by the size of those before it.
//
// Source: Zeiler, 2012 (arXiv:1212.5701); https://keras.io/api/optimizers/adadelta/
type Adadelta struct {
	// LearningRate 0 means 0.001.
	LearningRate float64
	// Rho is the part of the running means that stays; 0 means 0.95.
	Rho float64
	// Epsilon 0 means 1e-7.
	Epsilon float64
	Options
}

// Name implements Optimizer.
func (Adadelta) Name() string { return "adadelta" }

// Rate implements Optimizer.
func (o Adadelta) Rate() float64 { return o.rate(o.LearningRate, 0.001) }

// Check implements Optimizer.
func (o Adadelta) Check() error {
	return check("Adadelta", o.LearningRate, o.Options, checkFraction("Rho", o.Rho), checkEpsilon(o.Epsilon))
}

// Slots implements Optimizer.
func (Adadelta) Slots() []Slot { return slots("accumulated_gradient", "accumulated_delta") }

// Apply implements Optimizer.
func (o Adadelta) Apply(s Step, w, g *tensor.Node, slots []*tensor.Node) (*tensor.Node, []*tensor.Node) {
	rho, epsilon := orDefault(o.Rho, 0.95), orDefault(o.Epsilon, 1e-7)
	root := func(x *tensor.Node) *tensor.Node { return graph.Sqrt(graph.AddScalar(x, epsilon)) }
	grad := graph.Add(graph.MulScalar(slots[0], rho), graph.MulScalar(graph.Square(g), 1-rho))
	delta := graph.Neg(graph.Div(graph.Mul(root(slots[1]), g), root(grad)))
	deltas := graph.Add(graph.MulScalar(slots[1], rho), graph.MulScalar(graph.Square(delta), 1-rho))
	return graph.Add(w, graph.Mul(delta, s.LearningRate)), []*tensor.Node{grad, deltas}
}

// Lion steps by the sign of a running mean of the gradient:
//
//	w ← w − η sign(β₁ m + (1 − β₁) g),  m ← β₂ m + (1 − β₂) g
//
// Source: Chen et al., 2023 (arXiv:2302.06675); https://keras.io/api/optimizers/lion/
type Lion struct {
	// LearningRate is η; 0 means 0.001.
	LearningRate float64
	// Beta1 and Beta2 are β₁ and β₂; 0 means 0.9 and 0.99.
	Beta1 float64 `keras:"beta_1"`
	Beta2 float64 `keras:"beta_2"`
	Options
}

// Name implements Optimizer.
func (Lion) Name() string { return "lion" }

// Rate implements Optimizer.
func (o Lion) Rate() float64 { return o.rate(o.LearningRate, 0.001) }

// Check implements Optimizer.
func (o Lion) Check() error {
	return check("Lion", o.LearningRate, o.Options, checkFraction("Beta1", o.Beta1), checkFraction("Beta2", o.Beta2))
}

// Slots implements Optimizer.
func (Lion) Slots() []Slot { return slots("momentum") }

// Apply implements Optimizer.
func (o Lion) Apply(s Step, w, g *tensor.Node, slots []*tensor.Node) (*tensor.Node, []*tensor.Node) {
	mean := func(beta float64) *tensor.Node {
		return graph.Add(graph.MulScalar(slots[0], beta), graph.MulScalar(g, 1-beta))
	}
	step := graph.Mul(graph.Sign(mean(orDefault(o.Beta1, 0.9))), s.LearningRate)
	return graph.Sub(w, step), []*tensor.Node{mean(orDefault(o.Beta2, 0.99))}
}
