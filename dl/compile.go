package dl

import (
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/privacy"
)

// CompileConfig says how a model learns.
type CompileConfig struct {
	// Optimizer changes the weights. It is needed for Fit.
	Optimizer optimizers.Optimizer
	// Loss is what Fit minimises. It may be given for probabilities: where the
	// model ends with the softmax or sigmoid that makes them, the loss is
	// computed from what goes into it, which keeps its digits. Of several
	// outputs, each gets it.
	Loss losses.Loss
	// Losses are those of several outputs, by the names of the layers that make
	// them. An output without one is not trained.
	Losses map[string]losses.Loss
	// LossWeights are the factors with which the losses of several outputs are
	// added up; 1 unless set.
	LossWeights map[string]float64
	// Metrics are measured beside the loss, of each output.
	Metrics []metrics.Metric
	// OutputMetrics are measured of single outputs, by the names of their layers.
	OutputMetrics map[string][]metrics.Metric
	// WeightedMetrics are Metrics in which the weights of examples count.
	WeightedMetrics []metrics.Metric
	// Step replaces what Fit and Evaluate do with a batch; see Step.
	Step func(s *Step)
	// Privacy makes Fit private: what the model reveals of one example is bounded. nil is
	// training as usual.
	Privacy *privacy.SGD
}

// Compile sets the optimizer, the loss and the metrics, and forgets what an
// optimizer set before has remembered. The weights stay.
//
// Source: https://keras.io/api/models/model_training_apis/
func (m *Model) Compile(c CompileConfig) error {
	t := train.CompileConfig{
		Optimizer: c.Optimizer, Loss: c.Loss, Losses: c.Losses, LossWeights: c.LossWeights,
		Metrics: c.Metrics, OutputMetrics: c.OutputMetrics, WeightedMetrics: c.WeightedMetrics, Privacy: c.Privacy,
	}
	if c.Step != nil {
		t.Step = func(s *train.Step) { c.Step(&Step{X: s.X, Y: s.Y, W: s.W, Training: s.Training, s: s}) }
	}
	return edge(m.m.Compile(t))
}
