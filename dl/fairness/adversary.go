package fairness

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/layers"
)

// GradientReversal is the identity whose gradient is multiplied by -Weight: what comes before it
// is trained to make what comes behind it fail.
//
// Source: Ganin and Lempitsky (2015), https://arxiv.org/abs/1409.7495.
type GradientReversal struct {
	layers.Base
	Weight float64
}

// Call implements layers.Layer.
func (l GradientReversal) Call(_ *layers.Context, x *dl.Node) *dl.Node {
	return graph.IdentityWithCustomGradient(x, func(_, v *graph.Node) *graph.Node { return graph.MulScalar(v, -l.Weight) })
}

// AdversaryConfig says how WithAdversary plays.
type AdversaryConfig struct {
	// Groups is how many there are.
	Groups int
	// Weight is what it is worth to the model that its adversary fails; 0 means 1. More makes
	// groups more alike, at the price of accuracy.
	Weight float64
	// Goal is DemographicParity or EqualizedOdds, of which the adversary sees the labels, too.
	Goal Goal
	// Units are those of the adversary's hidden layer; 0 means 16.
	Units int
}

// WithAdversary is a model for training only, which shares m's weights: its first output is m's,
// its second, "adversary", guesses each case's group from that, and m is trained to make it
// fail. Fit it with a loss for each output, of which the first has m's name, and
// SparseCategoricalCrossentropy for the adversary's; labels are m's and the numbers of the
// groups. Then use m. For EqualizedOdds its inputs
// are m's and the labels, [batch, 1].
//
// It is a game, whose end may swing: look at several epochs and seeds, and measure what m does.
// Source: Zhang, Lemoine, Mitchell (2018), https://arxiv.org/abs/1801.07593, by reversed
// gradients.
func WithAdversary(m *dl.Model, c AdversaryConfig) (*dl.Model, error) {
	switch {
	case m == nil || len(m.Outputs()) != 1 || m.OutputShape().Size() != 1:
		return nil, errOneUnit
	case c.Groups < 2:
		return nil, fmt.Errorf("fairness: expected two Groups at least, got %d", c.Groups)
	case !(c.Weight >= 0) || c.Units < 0:
		return nil, fmt.Errorf("fairness: expected a Weight and Units of at least 0, got %g and %d", c.Weight, c.Units)
	case c.Goal != DemographicParity && c.Goal != EqualizedOdds:
		return nil, fmt.Errorf("fairness: expected DemographicParity or EqualizedOdds as Goal, got %d", c.Goal)
	}
	if c.Weight == 0 {
		c.Weight = 1
	}
	if c.Units == 0 {
		c.Units = 16
	}
	var in []*dl.Symbol
	for _, s := range m.Inputs() {
		in = append(in, dl.Input(s.Shape()))
	}
	out, err := dl.ApplyAll(m, in...)
	if err != nil {
		return nil, err
	}
	seen := dl.Apply(GradientReversal{Weight: c.Weight}, dl.Apply(layers.Reshape{TargetShape: layers.Shape{1}}, out[0]))
	if c.Goal == EqualizedOdds {
		label := dl.Input(layers.Shape{1})
		in = append(in, label)
		both := dl.Apply(layers.Multiply{}, seen, label)
		seen = dl.Apply(layers.Concatenate{}, seen, label, both)
	}
	hidden := dl.Apply(layers.Dense{Units: c.Units, Activation: activations.ReLU}, seen)
	guess := dl.Apply(layers.Dense{Units: c.Groups, Activation: activations.Softmax, Name: "adversary"}, hidden)
	return dl.Functional(in, []*dl.Symbol{out[0], guess})
}
