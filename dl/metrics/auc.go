package metrics

import (
	"fmt"
	"math"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/tensor"
)

// AUC is the area under a curve that all thresholds together draw.
//
// Labels are 0 or 1, of the output's shape; outputs are in [0, 1].
//
// Source: https://keras.io/api/metrics/classification_metrics/#auc-class
type AUC struct {
	// NumThresholds is how many points the curve has; 0 means 200.
	NumThresholds int
	// Curve is "ROC" (recall over the part of false alarms; "" means it) or "PR"
	// (precision over recall).
	Curve string
}

// Name implements Metric.
func (AUC) Name() string { return "auc" }

// Check implements Metric.
func (m AUC) Check(labels, output []int) error {
	if m.NumThresholds < 0 || m.NumThresholds == 1 {
		return fmt.Errorf("expected NumThresholds of at least 2 (or 0 for 200), got %d", m.NumThresholds)
	}
	if m.Curve != "" && m.Curve != "ROC" && m.Curve != "PR" {
		return fmt.Errorf("expected Curve ROC or PR, got %q", m.Curve)
	}
	return losses.BinaryCrossentropy{}.Check(labels, output)
}

// readAUC reads a configuration of Keras.
func readAUC(_ *AUC, c map[string]any) error {
	if c["summation_method"] == "interpolation" {
		delete(c, "summation_method")
	}
	return nil
}

func (m AUC) thresholds() []float64 {
	n := m.NumThresholds
	if n == 0 {
		n = 200
	}
	t := make([]float64, n)
	for i := range t {
		t[i] = float64(i) / float64(n-1)
	}
	t[0], t[n-1] = -1e-7, 1+1e-7
	return t
}

// Size implements Accumulator.
func (m AUC) Size(_, _ []int) int { return 4 * len(m.thresholds()) }

// Compute implements Metric; the metric is computed from Sums.
func (AUC) Compute(_, output *tensor.Node) *tensor.Node { return output }

// Sums implements Accumulator.
func (m AUC) Sums(labels, output, weights *tensor.Node) *tensor.Node {
	return confusion(labels, output, weights, m.thresholds())
}

// Result implements Accumulator.
func (m AUC) Result(sums []float64) float64 {
	tp, fp, tn, fn := counts(sums)
	area := 0.0
	if m.Curve == "PR" {
		// Between two points, precision is interpolated as Davis and Goadrich
		// (2006) say, not in a straight line.
		for i := range len(tp) - 1 {
			dtp, p, dp := tp[i]-tp[i+1], tp[i]+fp[i], tp[i]+fp[i]-tp[i+1]-fp[i+1]
			slope := ratio(dtp, max(dp, 0))
			intercept := tp[i+1] - slope*(tp[i+1]+fp[i+1])
			log := 0.0
			if p > 0 && tp[i+1]+fp[i+1] > 0 {
				log = math.Log(p / (tp[i+1] + fp[i+1]))
			}
			area += ratio(slope*(dtp+intercept*log), max(tp[i+1]+fn[i+1], 0))
		}
		return area
	}
	for i := range len(tp) - 1 {
		recall := func(j int) float64 { return ratio(tp[j], tp[j]+fn[j]) }
		alarm := func(j int) float64 { return ratio(fp[j], fp[j]+tn[j]) }
		area += (alarm(i) - alarm(i+1)) * (recall(i) + recall(i+1)) / 2
	}
	return area
}

func init() {
	config.Reads(readAUC)
}
