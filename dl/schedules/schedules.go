// Package schedules changes the learning rate in the course of training.
//
//	optimizers.Adam{Schedule: schedules.CosineDecay{InitialLearningRate: 1e-3, DecaySteps: 10_000}}
//
// A schedule is a function of the optimizer's steps so far; it is computed on the
// host, in float64.
//
// Source: https://keras.io/api/optimizers/learning_rate_schedules/
package schedules

import (
	"fmt"
	"math"

	"github.com/gradbook/gradbook/dl/internal/config"
)

// Schedule gives the learning rate of a step, counted from 0.
type Schedule interface {
	Rate(step int) float64
	// Check reports settings that cannot work.
	Check() error
}

// ExponentialDecay multiplies by DecayRate in every DecaySteps: r·dˢ with s =
// step/DecaySteps.
type ExponentialDecay struct {
	InitialLearningRate float64
	DecaySteps          int
	DecayRate           float64
	// Staircase rounds s down, so that the rate changes in steps.
	Staircase bool
}

// Check implements Schedule.
func (s ExponentialDecay) Check() error {
	return check("ExponentialDecay", s.InitialLearningRate, s.DecaySteps, s.DecayRate)
}

// Rate implements Schedule.
func (s ExponentialDecay) Rate(step int) float64 {
	return s.InitialLearningRate * math.Pow(s.DecayRate, ratio(step, s.DecaySteps, s.Staircase))
}

// InverseTimeDecay is r/(1 + DecayRate·s) with s = step/DecaySteps.
type InverseTimeDecay struct {
	InitialLearningRate float64
	DecaySteps          int
	DecayRate           float64
	// Staircase rounds s down.
	Staircase bool
}

// Check implements Schedule.
func (s InverseTimeDecay) Check() error {
	return check("InverseTimeDecay", s.InitialLearningRate, s.DecaySteps, s.DecayRate)
}

// Rate implements Schedule.
func (s InverseTimeDecay) Rate(step int) float64 {
	return s.InitialLearningRate / (1 + s.DecayRate*ratio(step, s.DecaySteps, s.Staircase))
}

// PolynomialDecay goes from InitialLearningRate to EndLearningRate in DecaySteps:
// (r − e)(1 − s)ᵖ + e with s = step/DecaySteps.
type PolynomialDecay struct {
	InitialLearningRate float64
	DecaySteps          int
	// EndLearningRate is e; 0 means 0.0001.
	EndLearningRate float64 `zero:"0.0001"`
	// Power is p; 0 means 1.
	Power float64 `zero:"1"`
	// Cycle begins again, with twice, three times … the steps, when they are over.
	Cycle bool
}

// Check implements Schedule.
func (s PolynomialDecay) Check() error {
	return check("PolynomialDecay", s.InitialLearningRate, s.DecaySteps, s.Power)
}

// Rate implements Schedule.
func (s PolynomialDecay) Rate(step int) float64 {
	end, power := orDefault(s.EndLearningRate, 1e-4), orDefault(s.Power, 1)
	at, steps := float64(step), float64(s.DecaySteps)
	if s.Cycle {
		steps *= max(1, math.Ceil(at/steps))
	} else {
		at = min(at, steps)
	}
	return (s.InitialLearningRate-end)*math.Pow(1-at/steps, power) + end
}

// PiecewiseConstantDecay is Values[i] up to and with step Boundaries[i], and the last
// of Values after the last of Boundaries.
type PiecewiseConstantDecay struct {
	// Boundaries rise; there is one fewer than Values.
	Boundaries []int
	Values     []float64
}

// Check implements Schedule.
func (s PiecewiseConstantDecay) Check() error {
	if len(s.Values) != len(s.Boundaries)+1 {
		return fmt.Errorf("schedules.PiecewiseConstantDecay: expected one value more than boundaries, got %d and %d", len(s.Values), len(s.Boundaries))
	}
	for i := 1; i < len(s.Boundaries); i++ {
		if s.Boundaries[i] <= s.Boundaries[i-1] {
			return fmt.Errorf("schedules.PiecewiseConstantDecay: expected Boundaries that rise, got %v", s.Boundaries)
		}
	}
	return nil
}

// Rate implements Schedule.
func (s PiecewiseConstantDecay) Rate(step int) float64 {
	for i, b := range s.Boundaries {
		if step <= b {
			return s.Values[i]
		}
	}
	return s.Values[len(s.Values)-1]
}

// CosineDecay goes down a half wave of the cosine, from InitialLearningRate to Alpha
// times that, in DecaySteps. With WarmupSteps it first goes up in a straight line, from
// InitialLearningRate to WarmupTarget, and down from there.
//
// Source: Loshchilov and Hutter, 2016 (arXiv:1608.03983).
type CosineDecay struct {
	InitialLearningRate float64
	DecaySteps          int
	Alpha               float64
	// WarmupTarget is the rate after the warm-up; 0 means that there is none.
	WarmupTarget float64
	WarmupSteps  int
}

// Check implements Schedule.
func (s CosineDecay) Check() error {
	if s.WarmupSteps < 0 || s.WarmupTarget < 0 || s.WarmupSteps > 0 && s.WarmupTarget == 0 {
		return fmt.Errorf("schedules.CosineDecay: expected WarmupSteps of at least 0, with a WarmupTarget above 0, got %d and %g", s.WarmupSteps, s.WarmupTarget)
	}
	return check("CosineDecay", s.InitialLearningRate, s.DecaySteps, s.Alpha)
}

// Rate implements Schedule.
func (s CosineDecay) Rate(step int) float64 {
	top := s.InitialLearningRate
	if s.WarmupTarget > 0 {
		if step < s.WarmupSteps {
			return s.InitialLearningRate + (s.WarmupTarget-s.InitialLearningRate)*float64(step)/float64(s.WarmupSteps)
		}
		top, step = s.WarmupTarget, step-s.WarmupSteps
	}
	return top * cosine(min(float64(step)/float64(s.DecaySteps), 1), s.Alpha)
}

// CosineDecayRestarts is CosineDecay that begins again: after FirstDecaySteps, then
// after TMul times that, and so on, each time from MMul times the rate.
//
// Source: Loshchilov and Hutter, 2016 (arXiv:1608.03983).
type CosineDecayRestarts struct {
	InitialLearningRate float64
	FirstDecaySteps     int
	// TMul 0 means 2, MMul 0 means 1.
	TMul float64 `zero:"2"`
	MMul float64 `zero:"1"`
	// Alpha is the lowest part of the rate.
	Alpha float64
}

// Check implements Schedule.
func (s CosineDecayRestarts) Check() error {
	if s.TMul < 0 || s.MMul < 0 {
		return fmt.Errorf("schedules.CosineDecayRestarts: expected TMul and MMul above 0, got %g and %g", s.TMul, s.MMul)
	}
	return check("CosineDecayRestarts", s.InitialLearningRate, s.FirstDecaySteps, s.Alpha)
}

// Rate implements Schedule.
func (s CosineDecayRestarts) Rate(step int) float64 {
	t, m := orDefault(s.TMul, 2), orDefault(s.MMul, 1)
	done := float64(step) / float64(s.FirstDecaySteps)
	var restart float64
	if t == 1 {
		restart = math.Floor(done)
		done -= restart
	} else {
		restart = math.Floor(math.Log(1-done*(1-t)) / math.Log(t))
		done = (done - (1-math.Pow(t, restart))/(1-t)) / math.Pow(t, restart)
	}
	return s.InitialLearningRate * ((1-s.Alpha)*0.5*math.Pow(m, restart)*(1+math.Cos(math.Pi*done)) + s.Alpha)
}

// cosine goes from 1 to alpha while done goes from 0 to 1.
func cosine(done, alpha float64) float64 {
	return (1-alpha)*0.5*(1+math.Cos(math.Pi*done)) + alpha
}

func ratio(step, steps int, staircase bool) float64 {
	s := float64(step) / float64(steps)
	if staircase {
		return math.Floor(s)
	}
	return s
}

func check(name string, rate float64, steps int, factor float64) error {
	if !(rate >= 0) || steps < 1 || !(factor >= 0) {
		return fmt.Errorf("schedules.%s: expected a rate of at least 0, at least 1 step and factors of at least 0, got %g, %d and %g", name, rate, steps, factor)
	}
	return nil
}

func orDefault(v, def float64) float64 {
	if v == 0 {
		return def
	}
	return v
}

func init() {
	config.Register(ExponentialDecay{}, InverseTimeDecay{}, PolynomialDecay{}, PiecewiseConstantDecay{}, CosineDecay{}, CosineDecayRestarts{})
}
