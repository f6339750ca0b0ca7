package explain_test

import (
	"math"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/explain"
)

// TestRules compares rules of layers with Captum's, without a bias that Captum leaves as it is.
func TestRules(t *testing.T) {
	m, x, p := convolution(t)
	clear(p.Weights[3])
	set(t, m, p.Weights)
	got, err := explain.LRP{Rules: map[string]explain.Rule{
		"first": explain.EpsilonRule(0.1), "last": explain.AlphaBetaRule(1, 0), "out": explain.GammaRule(0.5),
	}}.Attribute(m, x, explain.Classes(p.Target...))
	fatal(t, err)
	compare(t, "LRP", got, p.LRPMixed)
	for _, w := range p.Weights {
		if len(w) < 6 { // what no bias keeps comes out at the input
			clear(w)
		}
	}
	set(t, m, p.Weights)
	want, err := explain.IntegratedGradients{Steps: 200}.Attribute(m, x, explain.Class(1))
	fatal(t, err)
	for _, r := range []explain.Rule{explain.AlphaBetaRule(2, 1), explain.AlphaBetaRule(1, 0), explain.GammaRule(0.25)} {
		got, err = explain.LRP{Rule: r, Rules: map[string]explain.Rule{"out": explain.EpsilonRule(1e-9)}}.Attribute(m, x, explain.Class(1))
		fatal(t, err)
		if s, w := total(t, got), total(t, want); math.Abs(s-w) > 1e-3 {
			t.Errorf("%+v: expected relevance that adds up to %g, got %g", r, w, s)
		}
	}
	for name, r := range map[string]explain.LRP{
		"alpha":   {Rule: explain.AlphaBetaRule(2, 2)},
		"gamma":   {Rule: explain.GammaRule(-1)},
		"epsilon": {Rules: map[string]explain.Rule{"out": explain.EpsilonRule(0)}},
		`"none"`:  {Rules: map[string]explain.Rule{"none": explain.GammaRule(1)}},
	} {
		if _, err := r.Attribute(m, x, explain.Class(1)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("expected an error with %s, got %v", name, err)
		}
	}
}
