package dl

import (
	"errors"
	"fmt"

	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// CompileConfig says how a model learns.
type CompileConfig struct {
	// Optimizer changes the weights. It is needed for Fit.
	Optimizer optimizers.Optimizer
	// Loss is what Fit minimises. It may be given for probabilities: where the
	// model ends with the softmax or sigmoid that makes them, the loss is
	// computed from what goes into it, which keeps its digits.
	Loss losses.Loss
	// Metrics are measured beside the loss.
	Metrics []metrics.Metric
}

// compiled is what Compile makes of its configuration.
type compiled struct {
	CompileConfig
	// slots are the optimizer's, for one weight after the other; iteration
	// counts its steps. They are made when training starts.
	slots     []*variable
	iteration float32
	rate      float64
}

// Compile sets the optimizer, the loss and the metrics, and forgets what an
// optimizer set before has remembered. The weights stay.
//
// Source: https://keras.io/api/models/model_training_apis/
func (m *Model) Compile(c CompileConfig) (err error) {
	defer edge(&err)
	if c.Loss == nil {
		return errors.New("expected a Loss in CompileConfig, got nil")
	}
	if c.Optimizer != nil {
		if err := c.Optimizer.Check(); err != nil {
			return err
		}
	}
	names := map[string]bool{"loss": true}
	for i, metric := range c.Metrics {
		if metric == nil {
			return fmt.Errorf("expected a metric at place %d of Metrics, got nil", i)
		}
		if names[metric.Name()] {
			return fmt.Errorf("expected metrics of different names, got %q twice", metric.Name())
		}
		names[metric.Name()] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.compiled = &compiled{CompileConfig: c}
	if c.Optimizer != nil {
		m.compiled.rate = c.Optimizer.Rate()
	}
	clear(m.programs)
	return nil
}

// metricNames are the names in logs: the metrics, then the loss.
func (c *compiled) metricNames() []string {
	var names []string
	for _, metric := range c.Metrics {
		names = append(names, metric.Name())
	}
	return append(names, "loss")
}

// checkLabels reports labels that the loss or a metric cannot compare with the
// model's output.
func (m *Model) checkLabels(labels layers.Shape) error {
	out := m.output()
	last := m.layers[len(m.layers)-1]
	if err := m.compiled.Loss.Check(labels, out); err != nil {
		return fmt.Errorf("loss %s, output of layer %q: %w", m.compiled.Loss.Name(), last.name, err)
	}
	for _, metric := range m.compiled.Metrics {
		if err := metric.Check(labels, out); err != nil {
			return fmt.Errorf("metric %s, output of layer %q: %w", metric.Name(), last.name, err)
		}
	}
	return nil
}

// prepareSlots makes the optimizer's slots for the weights that it trains.
func (m *Model) prepareSlots() {
	c := m.compiled
	if c.slots != nil {
		return
	}
	for _, w := range m.weights {
		if !w.trainable {
			continue
		}
		for _, slot := range c.Optimizer.Slots() {
			c.slots = append(c.slots, newVariable(w.name+"/"+slot, w.shape.Dimensions, make([]float32, w.shape.Size())))
		}
	}
}
