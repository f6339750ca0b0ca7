package format

import (
	"encoding/json"
	"fmt"

	"github.com/gomlx/compute/dtypes"

	"github.com/gradbook/gradbook/dl/internal/fault"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/safetensors"
	"github.com/gradbook/gradbook/dl/internal/train"
)

// The version of the files that are written, and the oldest that is read. A file of a version
// between them is read as it was meant; see versions.go.
const (
	version       = 1
	oldestVersion = 1
)

// The values of the key "format" in a file's metadata.
const (
	wholeModel  = "gradbook"
	weightsOnly = "gradbook-weights"
)

// Save writes a whole model to a file.
func Save(m *train.Model, path string) error {
	m.Lock.Lock()
	defer m.Lock.Unlock()
	if err := save(m, path); err != nil {
		return fmt.Errorf("cannot save model %q: %w", m.Name, err)
	}
	return nil
}

func save(m *train.Model, path string) error {
	if m.Inputs == nil {
		return &fault.NotBuiltError{Model: m.Name}
	}
	f := newFile(wholeModel)
	a, err := describe(m.Network)
	if err != nil {
		return err
	}
	if err := setJSON(f, "model", a); err != nil {
		return err
	}
	if m.Schema != nil {
		if err := setJSON(f, "schema", m.Schema); err != nil {
			return err
		}
	}
	weights := network.Kept(m.Weights)
	if c, ok := m.Config(); ok && c.Step == nil {
		compiled, err := describeCompiled(c)
		if err != nil {
			return fmt.Errorf("how it is compiled (SaveWeights does without): %w", err)
		}
		if err := setJSON(f, "compile", compiled); err != nil {
			return err
		}
		progress, err := m.Progress()
		if err != nil {
			return err
		}
		f.Metadata["training"] = string(progress)
		weights = append(weights, m.Remembered()...)
	}
	if f.Tensors, err = tensorsOf(weights); err != nil {
		return err
	}
	return safetensors.Write(path, f)
}

// SaveWeights writes the weights to a file, and nothing else.
func SaveWeights(m *train.Model, path string) error {
	m.Lock.Lock()
	defer m.Lock.Unlock()
	if m.Inputs == nil {
		return &fault.NotBuiltError{Model: m.Name}
	}
	f := newFile(weightsOnly)
	var err error
	if f.Tensors, err = tensorsOf(network.Kept(m.Weights)); err != nil {
		return err
	}
	if err := safetensors.Write(path, f); err != nil {
		return fmt.Errorf("cannot save the weights of model %q: %w", m.Name, err)
	}
	return nil
}

func newFile(format string) safetensors.File {
	return safetensors.File{Metadata: map[string]string{"format": format, "version": fmt.Sprint(version)}}
}

// setJSON adds a value to the metadata as JSON.
func setJSON(f safetensors.File, key string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f.Metadata[key] = string(text)
	return nil
}

func tensorsOf(weights []network.Weight) (all []safetensors.Tensor, err error) {
	for _, w := range weights {
		values, err := w.Values()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.Name, err)
		}
		all = append(all, safetensors.Tensor{Name: w.Name, Shape: w.Shape.Dimensions, Values: values, Whole: w.Shape.DType == dtypes.Int8})
	}
	return all, nil
}
