package dl

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/dl/internal/safetensors"
)

// formatVersion is that of the files that Save writes.
const formatVersion = "1"

// progress is what of training is saved beside weights and slots.
type progress struct {
	Iteration    int      `json:"iteration"`
	LearningRate float64  `json:"learning_rate"`
	Random       []byte   `json:"random"`
	Noise        []uint64 `json:"noise,omitempty"`
	Position     position `json:"position"`
}

// Save writes the whole model to one file: its architecture, its weights, how it was
// compiled, the state of its optimizer, and how far training has come. The file is in
// the format safetensors, which holds no code, with the rest as JSON in its metadata.
// It is written beside the old one, which it replaces when it is complete: whatever
// happens, there is a whole file.
//
// A Step is a function, and is not saved; compile again after Load. Types of your own
// need Register.
//
// Source: https://keras.io/api/models/model_saving_apis/model_saving_and_loading/
func (m *Model) Save(path string) (err error) {
	defer edge(&err)
	lock.Lock()
	defer lock.Unlock()
	if m.inputs == nil {
		return errNotBuilt
	}
	f := safetensors.File{Metadata: map[string]string{"format": "gradbook", "version": formatVersion}}
	a, err := m.describe()
	if err != nil {
		return fmt.Errorf("cannot save model %q: %w", m.name, err)
	}
	if err := setJSON(f, "model", a); err != nil {
		return err
	}
	weights := m.kept()
	if c := m.compiled; c != nil && c.Step == nil {
		compiled, err := describeCompiled(c)
		if err != nil {
			return fmt.Errorf("cannot save how model %q is compiled (SaveWeights does without): %w", m.name, err)
		}
		p, err := m.progress()
		if err != nil {
			return err
		}
		if err := errors.Join(setJSON(f, "compile", compiled), setJSON(f, "training", p)); err != nil {
			return err
		}
		weights = append(weights, m.remembered()...)
	}
	if f.Tensors, err = tensorsOf(weights); err != nil {
		return err
	}
	if err := safetensors.Write(path, f); err != nil {
		return fmt.Errorf("cannot save model %q: %w", m.name, err)
	}
	return nil
}

// SaveWeights writes the weights to a file, and nothing else. See Save for how.
func (m *Model) SaveWeights(path string) (err error) {
	defer edge(&err)
	lock.Lock()
	defer lock.Unlock()
	if m.inputs == nil {
		return errNotBuilt
	}
	f := safetensors.File{Metadata: map[string]string{"format": "gradbook-weights", "version": formatVersion}}
	if f.Tensors, err = tensorsOf(m.kept()); err != nil {
		return err
	}
	if err := safetensors.Write(path, f); err != nil {
		return fmt.Errorf("cannot save the weights of model %q: %w", m.name, err)
	}
	return nil
}

// LoadWeights sets the weights to those of a file of SaveWeights or Save, or of Keras.
// If one does not fit, none is changed.
func (m *Model) LoadWeights(path string) (err error) {
	defer edge(&err)
	lock.Lock()
	defer lock.Unlock()
	if m.inputs == nil {
		return errNotBuilt
	}
	if isKeras(path) {
		return m.loadKerasWeights(path)
	}
	f, err := safetensors.Read(path)
	if err != nil {
		return fmt.Errorf("cannot load %s: %w", path, err)
	}
	if err := fill(m.kept(), byName(f), ""); err != nil {
		return fmt.Errorf("cannot load %s into model %q: %w", path, m.name, err)
	}
	return nil
}

// Load reads a model from a file that Save wrote, or from a .keras file of Keras 3. It is
// compiled if it was, and training goes on where it was: after Fit with Epochs: 3, Save
// and Load, a Fit with InitialEpoch: 3 and Epochs: 5 ends with the weights that 5 epochs
// would have given, to the bit on a CPU.
func Load(path string) (_ *Model, err error) {
	defer edge(&err)
	m, err := load(path)
	if err != nil {
		return nil, fmt.Errorf("cannot load %s: %w", path, err)
	}
	return m, nil
}

func load(path string) (*Model, error) {
	if isKeras(path) {
		return loadKeras(path)
	}
	f, err := safetensors.Read(path)
	if err != nil {
		return nil, err
	}
	switch {
	case f.Metadata["format"] == "gradbook-weights":
		return nil, errors.New("expected a whole model, got weights only: make the model and call LoadWeights")
	case f.Metadata["format"] != "gradbook":
		return nil, errors.New("expected a model that Save wrote, got tensors without an architecture")
	case f.Metadata["version"] != formatVersion:
		return nil, fmt.Errorf("expected version %s of the format, got %q: the file was written by another version of dl", formatVersion, f.Metadata["version"])
	}
	var a architecture
	if err := json.Unmarshal([]byte(f.Metadata["model"]), &a); err != nil {
		return nil, fmt.Errorf("expected an architecture of JSON: %w", err)
	}
	m, err := construct(a)
	if err != nil {
		return nil, err
	}
	lock.Lock()
	defer lock.Unlock()
	return m, m.restore(f)
}

// restore sets weights and training to those of a file.
func (m *Model) restore(f safetensors.File) error {
	tensors := byName(f)
	if err := fill(m.kept(), tensors, "optimizer/"); err != nil {
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
	if err := released(func() error { return m.Compile(c) }); err != nil {
		return errors.Unwrap(err)
	}
	return m.restoreTraining(f, tensors)
}

func (m *Model) restoreTraining(f safetensors.File, tensors map[string]safetensors.Tensor) error {
	var p progress
	if err := json.Unmarshal([]byte(f.Metadata["training"]), &p); err != nil {
		return fmt.Errorf("expected JSON of how far training has come: %w", err)
	}
	m.prepareSaved(func(name string) bool {
		_, ok := tensors[name]
		return ok
	})
	if err := fill(m.remembered(), tensors, ""); err != nil {
		return err
	}
	if err := m.source.UnmarshalBinary(p.Random); err != nil {
		return fmt.Errorf("expected the state of the random numbers: %w", err)
	}
	m.compiled.iteration, m.compiled.rate, m.position = p.Iteration, p.LearningRate, p.Position
	if len(p.Noise) == 3 {
		m.noise = &noise{host: p.Noise}
	}
	return nil
}

// restore is the callbacks' Restore: it goes on where a file left off.
func (t *training) restore(path string) (err error) {
	lock.Lock()
	defer lock.Unlock()
	f, err := safetensors.Read(path)
	if err != nil {
		return fmt.Errorf("cannot restore %s: %w", path, err)
	}
	if f.Metadata["format"] != "gradbook" || f.Metadata["training"] == "" {
		return fmt.Errorf("cannot restore %s: expected a model that was saved while it was trained", path)
	}
	tensors := byName(f)
	if err := fill(t.model.kept(), tensors, "optimizer/"); err != nil {
		return fmt.Errorf("cannot restore %s into model %q: %w", path, t.model.name, err)
	}
	if err := t.model.restoreTraining(f, tensors); err != nil {
		return fmt.Errorf("cannot restore %s into model %q: %w", path, t.model.name, err)
	}
	t.model.prepareSlots() // for what the file has none of
	t.vars = append(slices.Clone(t.model.weights), t.model.state()...)
	t.state.Epoch, t.resume = t.model.position.Epoch, true
	if err := t.setRate(t.model.compiled.rate); err != nil {
		return err
	}
	return t.open()
}

// progress tells how far training has come.
func (m *Model) progress() (p progress, err error) {
	p = progress{Iteration: m.compiled.iteration, LearningRate: m.compiled.rate, Position: m.position}
	if p.Random, err = m.source.MarshalBinary(); err != nil {
		return p, err
	}
	if t := m.active; t != nil && p.Position.Batch > 0 && t.sums != nil {
		if p.Position.Sums, err = t.sums.values(); err != nil {
			return p, err
		}
		p.Position.Examples = t.sums.examples
	}
	if m.noise != nil {
		if p.Noise, err = m.noise.values(); err != nil {
			return p, err
		}
	}
	return p, nil
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

func tensorsOf(weights []weight) (all []safetensors.Tensor, err error) {
	for _, w := range weights {
		values, err := w.values()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		all = append(all, safetensors.Tensor{Name: w.name, Shape: w.shape.Dimensions, Values: values})
	}
	return all, nil
}

func byName(f safetensors.File) map[string]safetensors.Tensor {
	all := make(map[string]safetensors.Tensor)
	for _, t := range f.Tensors {
		all[t.Name] = t
	}
	return all
}

// fill sets all of weights, or none. Tensors whose names begin with others may be more
// than there are weights.
func fill(weights []weight, tensors map[string]safetensors.Tensor, others string) error {
	known := make(map[string]bool)
	for _, w := range weights {
		t, ok := tensors[w.name]
		if !ok {
			return fmt.Errorf("expected weight %q of shape %v, got none in the file", w.name, w.shape.Dimensions)
		}
		if fmt.Sprint(t.Shape) != fmt.Sprint(w.shape.Dimensions) {
			return fmt.Errorf("expected weight %q of shape %v, got %v", w.name, w.shape.Dimensions, t.Shape)
		}
		known[w.name] = true
	}
	if others != "" {
		for name := range tensors {
			if !known[name] && !strings.HasPrefix(name, others) {
				return fmt.Errorf("the file has a weight %q that the model has not", name)
			}
		}
	}
	for _, w := range weights {
		w.set(tensors[w.name].Values)
	}
	return nil
}

// isKeras says whether a file is a zip archive, as those of Keras are.
func isKeras(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 4)
	_, err = f.Read(head)
	return err == nil && string(head) == "PK\x03\x04"
}
