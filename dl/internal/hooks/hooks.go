// Package hooks is what a training offers to callbacks, of which callbacks.Training shows users
// what they may do.
package hooks

import "github.com/gomlx/gomlx/core/tensors"

// Hooks are what a training offers.
type Hooks struct {
	Logs                       func() (map[string]float64, error)
	LearningRate               func() float64
	SetLearningRate            func(float64) error
	Weights                    func() ([]*tensors.Tensor, error)
	SetWeights                 func([]*tensors.Tensor) error
	Save, SaveWeights, Restore func(path string) error
	// Model is the *dl.Model.
	Model any
}

// Package callbacks sets these.
var (
	// Attach gives a *callbacks.Training its hooks, Model returns the model of one.
	Attach func(training any, h Hooks)
	Model  func(training any) any
	// Writes says whether a callback writes files, or to the terminal: of several processes
	// that train together, one does.
	Writes func(callback any) bool
)
