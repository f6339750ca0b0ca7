package dl

import (
	"github.com/gradbook/gradbook/dl/internal/format"
	"github.com/gradbook/gradbook/dl/layers"
)

// Save writes the whole model to one file: its architecture, its weights, how it was
// compiled, the state of its optimizer, and how far training has come. The file is in
// the format safetensors, which holds no code, with the rest as JSON in its metadata.
// It is written beside the old one, which it replaces when it is complete: whatever
// happens, there is a whole file.
//
// A Step is a function, and is not saved; compile again after Load. Types and functions of
// your own need Register: what Load could not read is an error.
//
// Source: https://keras.io/api/models/model_saving_apis/model_saving_and_loading/
func (m *Model) Save(path string) error { return edge(format.Save(m.m, path)) }

// SaveWeights writes the weights to a file, and nothing else. See Save for how.
func (m *Model) SaveWeights(path string) error { return edge(format.SaveWeights(m.m, path)) }

// LoadWeights sets the weights to those of a file of SaveWeights or Save, or of Keras.
// If one does not fit, none is changed, and the error is a *FormatError.
func (m *Model) LoadWeights(path string) error { return edge(format.LoadWeights(m.m, path)) }

// LoadConfig says what a file leaves open. Its zero value leaves it so.
type LoadConfig struct {
	// Shapes are shapes of inputs, without the batch, by the names of their layers: an axis
	// that the file leaves open gets this length.
	Shapes map[string]layers.Shape
}

// Load reads a model from a file that Save wrote, of this dl or an older one, or from a .keras
// file of Keras 3, as a config, of which there may be one, says. It is
// compiled if it was, and training goes on where it was: after Fit with Epochs: 3, Save
// and Load, a Fit with InitialEpoch: 3 and Epochs: 5 ends with the weights that 5 epochs
// would have given, to the bit on a CPU. What the file does not hold as it should is a
// *FormatError.
func Load(path string, config ...LoadConfig) (*Model, error) {
	c, err := the(config)
	if err != nil {
		return nil, edge(err)
	}
	m, err := format.Load(path, newNetwork, c.Shapes)
	if err != nil {
		return nil, edge(err)
	}
	return faceOf(m), nil
}
