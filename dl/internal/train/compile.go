package train

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/privacy"
)

// CompileConfig says how a model learns; the fields are those of dl.CompileConfig.
type CompileConfig struct {
	Optimizer       optimizers.Optimizer
	Loss            losses.Loss
	Losses          map[string]losses.Loss
	LossWeights     map[string]float64
	Metrics         []metrics.Metric
	OutputMetrics   map[string][]metrics.Metric
	WeightedMetrics []metrics.Metric
	Step            func(s *Step)
	Privacy         *privacy.SGD
}

// compiled is what Compile makes of its configuration.
type compiled struct {
	CompileConfig
	// slots are the optimizer's, and what Options need, for each weight. They are
	// made when training starts; so is scale, of float16.
	slots     map[*network.Variable][]*network.Variable
	scale     []*network.Variable
	iteration int
	rate      float64
	// measures are what is computed of each batch, once the labels are known.
	measures []measure
	labels   string // for which
	// sample is how many examples a private step has on average.
	sample int
}

// check reports what does not go together, whatever the network.
func (c CompileConfig) check() error {
	if c.Loss == nil && len(c.Losses) == 0 && c.Step == nil {
		return errors.New("expected a Loss in CompileConfig, got nil")
	}
	if c.Loss != nil && len(c.Losses) > 0 {
		return errors.New("expected Loss or Losses in CompileConfig, got both")
	}
	for _, name := range keys(c.Losses) {
		if c.Losses[name] == nil {
			return fmt.Errorf("expected a loss for output %q in Losses, got nil; leave out an output without a loss", name)
		}
	}
	if c.Optimizer != nil {
		if err := c.Optimizer.Check(); err != nil {
			return err
		}
	}
	names := map[string]bool{"loss": true}
	for i, metric := range slices.Concat(c.Metrics, c.WeightedMetrics) {
		if metric == nil {
			return fmt.Errorf("expected a metric at place %d of Metrics, got nil", i)
		}
		if names[metric.Name()] {
			return fmt.Errorf("expected metrics of different names, got %q twice", metric.Name())
		}
		names[metric.Name()] = true
	}
	for _, name := range keys(c.OutputMetrics) {
		all := maps.Clone(names)
		for _, metric := range c.OutputMetrics[name] {
			if metric == nil {
				return fmt.Errorf("expected metrics for output %q in OutputMetrics, got nil", name)
			}
			if all[metric.Name()] {
				return fmt.Errorf("expected metrics of different names for output %q, got %q twice", name, metric.Name())
			}
			all[metric.Name()] = true
		}
	}
	if c.Privacy != nil {
		if err := c.checkPrivacy(); err != nil {
			return err
		}
	}
	if c.Step != nil && (c.Loss != nil || len(c.Losses) > 0 || len(names) > 1 || len(c.OutputMetrics) > 0) {
		return errors.New("expected a Step, or a Loss and Metrics, in CompileConfig, got both: a Step computes its loss and logs what it measures")
	}
	return nil
}

// Compile sets how the model learns, and forgets what was set before.
func (m *Model) Compile(c CompileConfig) error {
	if err := c.check(); err != nil {
		return err
	}
	m.Lock.Lock()
	defer m.Lock.Unlock()
	return m.compile(c)
}

// compile is called under the lock, with a configuration that has been checked.
func (m *Model) compile(c CompileConfig) error {
	m.compiled = &compiled{CompileConfig: c, slots: make(map[*network.Variable][]*network.Variable)}
	if c.Optimizer != nil {
		m.compiled.rate = c.Optimizer.Rate()
	}
	if m.Outputs != nil {
		if err := m.checkOutputs(); err != nil {
			m.compiled = nil
			return err
		}
	}
	clear(m.programs)
	return nil
}

// Config returns how the model is compiled. It is called under the lock.
func (m *Model) Config() (c CompileConfig, ok bool) {
	if m.compiled == nil {
		return c, false
	}
	return m.compiled.CompileConfig, true
}

// checkOutputs reports names in CompileConfig that are not of outputs.
func (m *Model) checkOutputs() error {
	names := m.OutputNames()
	for _, list := range [][]string{keys(m.compiled.Losses), keys(m.compiled.LossWeights), keys(m.compiled.OutputMetrics)} {
		for _, n := range list {
			if !slices.Contains(names, n) {
				return fmt.Errorf("expected names of outputs of model %q, which has %q, got %q", m.Name, names, n)
			}
		}
	}
	return nil
}

func keys[V any](m map[string]V) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// lossOf is the loss of an output; nil if it has none.
func (c *compiled) lossOf(output string) losses.Loss {
	if c.Loss != nil {
		return c.Loss
	}
	return c.Losses[output]
}

// trained are the outputs that have a loss, in order: those that have a label each.
func (m *Model) trained() (outputs []int) {
	for i, name := range m.OutputNames() {
		if m.compiled.lossOf(name) != nil {
			outputs = append(outputs, i)
		}
	}
	return outputs
}
