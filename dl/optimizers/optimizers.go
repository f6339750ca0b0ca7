// Package optimizers turns gradients into changes of a model's weights.
//
// The zero value of each is Keras's default.
//
//	dl.CompileConfig{Optimizer: optimizers.Adam{LearningRate: 3e-4}}
//	dl.CompileConfig{Optimizer: optimizers.SGD{Options: optimizers.Options{ClipNorm: 1}}}
//
// Source: https://keras.io/api/optimizers/
package optimizers

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/schedules"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Optimizer is a rule for one weight, applied to each in turn. One of your own
// embeds Options.
type Optimizer interface {
	// Name is Keras's name, for example "adam".
	Name() string
	// Check reports settings that cannot work.
	Check() error
	// Rate is the learning rate that training starts with.
	Rate() float64
	// Slots are the tensors that the rule remembers for each weight from step
	// to step.
	Slots() []Slot
	// Apply returns the weight's next value and that of its slots.
	Apply(s Step, weight, gradient *tensor.Node, slots []*tensor.Node) (next *tensor.Node, nextSlots []*tensor.Node)
	// Common are the options that all optimizers have.
	Common() Options
}

// Slot is something that an optimizer remembers for a weight.
type Slot struct {
	Name string
	// Scalar slots are one number; others have the weight's shape.
	Scalar bool
	// Initial is the value before the first step.
	Initial float64
}

// Step is what all weights of a training step share.
type Step struct {
	// Iteration counts steps from 1: a float32 scalar.
	Iteration *tensor.Node
	// LearningRate is the rate of this step: a float32 scalar.
	LearningRate *tensor.Node
}

// Options are what Keras lets be done with any optimizer. All are off unless set.
type Options struct {
	// Schedule gives the learning rate of each step, in place of LearningRate.
	Schedule schedules.Schedule `keras:"-"`
	// WeightDecay takes this part, times the learning rate, off each weight in
	// each step.
	WeightDecay float64
	// ClipNorm scales the gradient of each weight down to this length, ClipValue
	// cuts each of its numbers off at ± this, GlobalClipNorm scales all down
	// together. At most one may be set.
	ClipNorm       float64 `keras:"clipnorm"`
	ClipValue      float64 `keras:"clipvalue"`
	GlobalClipNorm float64 `keras:"global_clipnorm"`
	// UseEMA keeps a running mean of the weights, and sets them to it when Fit
	// ends. EMAMomentum is the part of it that stays; 0 means 0.99.
	UseEMA      bool    `keras:"use_ema"`
	EMAMomentum float64 `keras:"ema_momentum"`
	// GradientAccumulationSteps changes the weights once in so many steps, by
	// the mean of their gradients; 0 means in each.
	GradientAccumulationSteps int
}

// Common implements Optimizer.
func (o Options) Common() Options { return o }

func (o Options) check() error {
	set := 0
	for _, c := range []float64{o.ClipNorm, o.ClipValue, o.GlobalClipNorm} {
		if c < 0 {
			return fmt.Errorf("expected ClipNorm, ClipValue and GlobalClipNorm above 0 (or 0 for none), got %g", c)
		}
		if c > 0 {
			set++
		}
	}
	if set > 1 {
		return fmt.Errorf("expected at most one of ClipNorm, ClipValue and GlobalClipNorm, got %g, %g and %g", o.ClipNorm, o.ClipValue, o.GlobalClipNorm)
	}
	if !(o.WeightDecay >= 0) {
		return fmt.Errorf("expected WeightDecay of at least 0, got %g", o.WeightDecay)
	}
	if o.GradientAccumulationSteps < 0 {
		return fmt.Errorf("expected GradientAccumulationSteps of at least 1 (or 0 for 1), got %d", o.GradientAccumulationSteps)
	}
	if o.Schedule != nil {
		if err := o.Schedule.Check(); err != nil {
			return err
		}
	}
	return checkFraction("EMAMomentum", o.EMAMomentum)
}

// rate is the rate of the first step.
func (o Options) rate(learningRate, def float64) float64 {
	if o.Schedule != nil {
		return o.Schedule.Rate(0)
	}
	return orDefault(learningRate, def)
}

// check reports what is wrong with an optimizer's settings.
func check(name string, rate float64, o Options, errs ...error) error {
	for _, err := range append(errs, checkRate(rate), o.check()) {
		if err != nil {
			return fmt.Errorf("optimizers.%s: %w", name, err)
		}
	}
	return nil
}

func checkRate(rate float64) error {
	if rate < 0 || math.IsNaN(rate) || math.IsInf(rate, 0) {
		return fmt.Errorf("expected a LearningRate above 0 (or 0 for the default), got %g", rate)
	}
	return nil
}

func checkFraction(name string, v float64) error {
	if !(v >= 0 && v < 1) {
		return fmt.Errorf("expected %s in [0, 1), got %g", name, v)
	}
	return nil
}

func checkEpsilon(v float64) error {
	if !(v >= 0) {
		return fmt.Errorf("expected an Epsilon above 0 (or 0 for the default), got %g", v)
	}
	return nil
}

func orDefault(v, def float64) float64 {
	if v == 0 {
		return def
	}
	return v
}

// left is 1 − βᵗ.
func left(w, iteration *tensor.Node, beta float64) *tensor.Node {
	return graph.OneMinus(graph.Pow(graph.Scalar(w.Graph(), w.DType(), beta), iteration))
}

// toward moves a running mean by the part 1 − beta towards v.
func toward(mean, v *tensor.Node, beta float64) *tensor.Node {
	return graph.Add(mean, graph.MulScalar(graph.Sub(v, mean), 1-beta))
}

func slots(names ...string) (all []Slot) {
	for _, n := range names {
		all = append(all, Slot{Name: n})
	}
	return all
}

func init() {
	config.Register(SGD{}, Adam{}, AdamW{}, Adamax{}, Nadam{}, RMSprop{}, Adagrad{}, Adadelta{}, Lion{})
}

// readOptions reads a configuration of Keras: a learning rate may be a schedule.
func readOptions(o *Options, c map[string]any) error {
	s, ok := c["learning_rate"].(map[string]any)
	if !ok {
		return nil
	}
	delete(c, "learning_rate")
	var err error
	o.Schedule, err = config.DecodeAny[schedules.Schedule](s)
	return err
}

func init() {
	config.Reads(readOptions)
}
