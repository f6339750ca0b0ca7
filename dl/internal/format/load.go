package format

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"

	"github.com/gradbook/gradbook/dl/internal/fault"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/safetensors"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/internal/wholefile"
	"github.com/gradbook/gradbook/dl/layers"
)

// Load reads a model from a file of Save, or from a .keras file. create makes its networks;
// shapes are those of inputs whose axes the file leaves open.
func Load(path string, create Create, shapes map[string]layers.Shape) (*train.Model, error) {
	m, err := create.load(path, shapes)
	if err != nil {
		return nil, problem(path, "load "+path, err)
	}
	return m, nil
}

// problem wraps what is wrong with a file. What the system says of it stays recognisable.
func problem(path, doing string, err error) error {
	if errors.As(err, new(*fault.NotBuiltError)) || errors.As(err, new(*os.PathError)) {
		return fmt.Errorf("cannot %s: %w", doing, err)
	}
	return &fault.FormatError{Path: path, Doing: doing, Err: err}
}

func (create Create) load(path string, shapes map[string]layers.Shape) (*train.Model, error) {
	if isKeras(path) {
		return create.loadKeras(path, shapes)
	}
	f, err := safetensors.Read(path)
	if err != nil {
		return nil, err
	}
	switch f.Metadata["format"] {
	case wholeModel:
	case weightsOnly:
		return nil, errors.New("expected a whole model, got weights only: make the model and call LoadWeights")
	default:
		return nil, errors.New("expected a model that Save wrote, got tensors without an architecture")
	}
	if err := checkVersion(f); err != nil {
		return nil, err
	}
	var a architecture
	if err := json.Unmarshal([]byte(f.Metadata["model"]), &a); err != nil {
		return nil, fmt.Errorf("expected an architecture of JSON: %w", err)
	}
	if err := setShapes(a.Config, shapes); err != nil {
		return nil, err
	}
	numbers := 0
	for _, t := range f.Tensors {
		numbers += len(t.Values)
	}
	n, err := create.within(numbers).construct(a)
	if err != nil {
		return nil, err
	}
	m := train.New(n)
	if text, ok := f.Metadata["schema"]; ok {
		if err := json.Unmarshal([]byte(text), &m.Schema); err != nil {
			return nil, fmt.Errorf("expected a schema of JSON: %w", err)
		}
	}
	return m, restoreAll(m, f)
}

// restoreAll sets weights and training to those of a file.
func restoreAll(m *train.Model, f safetensors.File) error {
	tensors := byName(f)
	m.Lock.Lock()
	err := fill(network.Kept(m.Weights), tensors, "optimizer/")
	m.Lock.Unlock()
	if err != nil {
		return err
	}
	text, ok := f.Metadata["compile"]
	if !ok {
		return nil
	}
	var raw map[string]any
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return fmt.Errorf("expected JSON of how it is compiled: %w", err)
	}
	c, err := constructCompiled(raw)
	if err != nil {
		return err
	}
	if err := m.Compile(c); err != nil {
		return err
	}
	m.Lock.Lock()
	defer m.Lock.Unlock()
	return restoreTraining(m, f, tensors)
}

func restoreTraining(m *train.Model, f safetensors.File, tensors map[string]safetensors.Tensor) error {
	has := func(name string) bool {
		_, ok := tensors[name]
		return ok
	}
	return m.Restore([]byte(f.Metadata["training"]), has, func(remembered []network.Weight) error {
		return fill(remembered, tensors, "")
	})
}

// Restore sets a model that is being trained to what a file of Save holds. It is called under
// the model's lock.
func Restore(m *train.Model, path string) error {
	f, err := safetensors.Read(path)
	if err != nil {
		return problem(path, "restore "+path, err)
	}
	if f.Metadata["format"] != wholeModel || f.Metadata["training"] == "" {
		return problem(path, "restore "+path, errors.New("expected a model that was saved while it was trained"))
	}
	into := fmt.Sprintf("restore %s into model %q", path, m.Name)
	if err := checkVersion(f); err != nil {
		return problem(path, into, err)
	}
	tensors := byName(f)
	if err := fill(network.Kept(m.Weights), tensors, "optimizer/"); err != nil {
		return problem(path, into, err)
	}
	if err := restoreTraining(m, f, tensors); err != nil {
		return problem(path, into, err)
	}
	return nil
}

// LoadWeights sets the weights to those of a file of SaveWeights or Save, or of Keras. If one
// does not fit, none is changed.
func LoadWeights(m *train.Model, path string) error {
	m.Lock.Lock()
	defer m.Lock.Unlock()
	if m.Inputs == nil {
		return &fault.NotBuiltError{Model: m.Name}
	}
	if err := loadWeights(m.Network, path); err != nil {
		return problem(path, fmt.Sprintf("load %s into model %q", path, m.Name), err)
	}
	return nil
}

func loadWeights(n *network.Network, path string) error {
	if isKeras(path) {
		f, err := readKeras(path)
		if err != nil {
			return err
		}
		return f.fill(n)
	}
	if begins(path, "\x89HDF\r\n\x1a\n") {
		f, err := readWeightsH5(path)
		if err != nil {
			return err
		}
		return f.fill(n)
	}
	f, err := safetensors.Read(path)
	if err != nil {
		return err
	}
	if f.Metadata["format"] == wholeModel || f.Metadata["format"] == weightsOnly {
		if err := checkVersion(f); err != nil {
			return err
		}
	}
	return fill(network.Kept(n.Weights), byName(f), "")
}

func byName(f safetensors.File) map[string]safetensors.Tensor {
	all := make(map[string]safetensors.Tensor)
	for _, t := range f.Tensors {
		all[t.Name] = t
	}
	return all
}

// fill sets all of weights, or none. Tensors whose names begin with others may be more than
// there are weights.
func fill(weights []network.Weight, tensors map[string]safetensors.Tensor, others string) error {
	known := make(map[string]bool)
	for _, w := range weights {
		t, ok := tensors[w.Name]
		if !ok {
			return fmt.Errorf("expected weight %q of shape %v, got none in the file", w.Name, w.Shape.Dimensions)
		}
		if !slices.Equal(t.Shape, w.Shape.Dimensions) {
			return fmt.Errorf("expected weight %q of shape %v, got %v", w.Name, w.Shape.Dimensions, t.Shape)
		}
		if t.Whole && w.Shape.DType != dtypes.Int8 {
			return fmt.Errorf("expected weight %q as floats, got whole numbers of 8 bits: of what scale, the file does not say here", w.Name)
		}
		if err := w.Check(t.Values); err != nil {
			return fmt.Errorf("weight %q: %w", w.Name, err)
		}
		known[w.Name] = true
	}
	if others != "" {
		for name := range tensors {
			if !known[name] && !strings.HasPrefix(name, others) {
				return fmt.Errorf("the file has a weight %q that the model has not", name)
			}
		}
	}
	for _, w := range weights {
		w.Set(tensors[w.Name].Values)
	}
	return nil
}

// isKeras says whether a file is a zip archive, as those of Keras are.
func isKeras(path string) bool { return begins(path, "PK\x03\x04") }

// begins says how a regular file begins.
func begins(path, with string) bool {
	if _, err := wholefile.Regular(path); err != nil {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, len(with))
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == with
}
