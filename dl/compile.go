package dl

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"

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
}

// compiled is what Compile makes of its configuration.
type compiled struct {
	CompileConfig
	// slots are the optimizer's, and what Options need, for each weight. They are
	// made when training starts; so is scale, of float16.
	slots     map[*variable][]*variable
	scale     []*variable
	iteration int
	rate      float64
	// measures are what is computed of each batch, once the labels are known.
	measures []measure
	labels   string // for which
}

// Compile sets the optimizer, the loss and the metrics, and forgets what an
// optimizer set before has remembered. The weights stay.
//
// Source: https://keras.io/api/models/model_training_apis/
func (m *Model) Compile(c CompileConfig) (err error) {
	defer edge(&err)
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
		if slices.Contains(c.OutputMetrics[name], nil) {
			return fmt.Errorf("expected metrics for output %q in OutputMetrics, got nil", name)
		}
	}
	lock.Lock()
	defer lock.Unlock()
	m.compiled = &compiled{CompileConfig: c, slots: make(map[*variable][]*variable)}
	if c.Optimizer != nil {
		m.compiled.rate = c.Optimizer.Rate()
	}
	if m.outputs != nil {
		if err := m.checkOutputs(); err != nil {
			m.compiled = nil
			return err
		}
	}
	clear(m.programs)
	return nil
}

// outputNames are the names by which Losses and logs speak of the outputs.
func (m *Model) outputNames() []string {
	var names []string
	seen := make(map[string]int)
	for _, s := range m.outputs {
		n := s.from.layer.name
		seen[n]++
		if seen[n] > 1 {
			n = fmt.Sprintf("%s_%d", n, seen[n]-1)
		}
		names = append(names, n)
	}
	return names
}

// checkOutputs reports names in CompileConfig that are not of outputs.
func (m *Model) checkOutputs() error {
	names := m.outputNames()
	for _, list := range [][]string{keys(m.compiled.Losses), keys(m.compiled.LossWeights), keys(m.compiled.OutputMetrics)} {
		for _, n := range list {
			if !slices.Contains(names, n) {
				return fmt.Errorf("expected names of outputs of model %q, which has %q, got %q", m.name, names, n)
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
	for i, name := range m.outputNames() {
		if m.compiled.lossOf(name) != nil {
			outputs = append(outputs, i)
		}
	}
	return outputs
}

// checkLabels reports labels that the losses or metrics cannot compare with the
// model's outputs, and lays out what is measured.
func (m *Model) checkLabels(labels []layers.Shape) error {
	if m.compiled.Step != nil {
		return nil
	}
	if err := m.checkOutputs(); err != nil {
		return err
	}
	trained, names := m.trained(), m.outputNames()
	if len(labels) != len(trained) {
		return fmt.Errorf("expected %d labels an example, one for each output with a loss, got %d", len(trained), len(labels))
	}
	for i, o := range trained {
		s := m.outputs[o]
		loss := m.compiled.lossOf(names[o])
		if err := loss.Check(labels[i], s.shape); err != nil {
			return fmt.Errorf("loss %s, output of layer %q: %w", loss.Name(), s.from.layer.name, err)
		}
		for _, metric := range slices.Concat(m.compiled.Metrics, m.compiled.WeightedMetrics, m.compiled.OutputMetrics[names[o]]) {
			if err := metric.Check(labels[i], s.shape); err != nil {
				return fmt.Errorf("metric %s, output of layer %q: %w", metric.Name(), s.from.layer.name, err)
			}
		}
	}
	m.lay(labels)
	return nil
}

// slotNames are what is remembered for each weight that is trained.
func (c *compiled) slotNames() []optimizers.Slot {
	if c.Optimizer == nil {
		return nil
	}
	all := slices.Clone(c.Optimizer.Slots())
	o := c.Optimizer.Common()
	if o.GradientAccumulationSteps > 1 {
		all = append(all, optimizers.Slot{Name: "accumulated"})
	}
	if o.UseEMA {
		all = append(all, optimizers.Slot{Name: "average"})
	}
	return all
}

// prepareSlots makes the optimizer's slots for the weights that it trains.
func (m *Model) prepareSlots() {
	m.makeSlots(weight.trainable, true)
}

// prepareSaved makes the slots that a file has.
func (m *Model) prepareSaved(has func(name string) bool) {
	names := m.compiled.slotNames()
	saved := func(w weight) bool {
		return len(names) > 0 && w.trainableEver() && has(slotName(w, names[0]))
	}
	m.makeSlots(saved, has(scaleNames[0]))
}

// makeSlots makes what is missing: the slots of some weights, and the scale of a
// float16 loss with the steps since it was changed.
func (m *Model) makeSlots(of func(weight) bool, scale bool) {
	c := m.compiled
	for _, w := range m.weights {
		if c.slots[w.variable] == nil && of(w) {
			c.slots[w.variable] = m.newSlots(w)
		}
	}
	if scale && m.policy == dtypes.Float16 && c.scale == nil {
		c.scale = []*variable{newVariable(nil, []float32{1 << 15}), newVariable(nil, []float32{0})}
	}
}

func (m *Model) newSlots(w weight) []*variable {
	slots := []*variable{}
	for _, s := range m.compiled.slotNames() {
		shape := layers.Shape(w.shape.Dimensions)
		if s.Scalar {
			shape = layers.Shape{}
		}
		values := make([]float32, shape.Size())
		for i := range values {
			values[i] = float32(s.Initial)
		}
		slots = append(slots, newVariable(shape, values))
	}
	return slots
}

// scaleNames are those of the scale of a float16 loss.
var scaleNames = []string{"optimizer/loss_scale", "optimizer/good_steps"}

func slotName(w weight, s optimizers.Slot) string { return "optimizer/" + w.name + "/" + s.Name }

// remembered is all that the optimizer remembers, also of weights that are frozen now:
// slots in the order of the weights, then the scale of the loss.
func (m *Model) remembered() []weight {
	return m.slotsOf(func(weight) bool { return true })
}

// state is what training changes beside the weights.
func (m *Model) state() []weight { return m.slotsOf(weight.trainable) }

func (m *Model) slotsOf(which func(weight) bool) (all []weight) {
	names := m.compiled.slotNames()
	for _, w := range m.weights {
		if !which(w) {
			continue
		}
		for i, v := range m.compiled.slots[w.variable] {
			all = append(all, weight{slotName(w, names[i]), v})
		}
	}
	for i, v := range m.compiled.scale {
		all = append(all, weight{scaleNames[i], v})
	}
	return all
}
