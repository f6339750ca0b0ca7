package train

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gradbook/gradbook/dl/internal/network"
)

// position is how far training has come: whole epochs, batches of the one after
// them, the state of the random numbers when that began, and what has been measured
// in it. It is saved with the model, so that training can go on as if it had not
// stopped.
type position struct {
	Epoch    int       `json:"epoch"`
	Batch    int       `json:"batch,omitempty"`
	Random   []byte    `json:"random,omitempty"`
	Sums     []float32 `json:"sums,omitempty"`
	Examples int       `json:"examples,omitempty"`
}

// progress is what of training is saved beside weights and slots.
type progress struct {
	Iteration    int      `json:"iteration"`
	LearningRate float64  `json:"learning_rate"`
	Random       []byte   `json:"random"`
	Noise        []uint64 `json:"noise,omitempty"`
	Position     position `json:"position"`
	Spent        *Spent   `json:"privacy,omitempty"`
}

// Progress tells how far training has come, as JSON. It is called under the lock.
func (m *Model) Progress() ([]byte, error) {
	p := progress{Iteration: m.compiled.iteration, LearningRate: m.compiled.rate, Position: m.position}
	if len(m.spent.Ledger) > 0 {
		p.Spent = &m.spent
	}
	var err error
	if p.Random, err = m.PCG.MarshalBinary(); err != nil {
		return nil, err
	}
	if t := m.active; t != nil && p.Position.Batch > 0 && t.sums != nil {
		if p.Position.Sums, err = t.sums.values(); err != nil {
			return nil, err
		}
		p.Position.Examples = t.sums.examples
	}
	if m.noise != nil {
		if p.Noise, err = m.noise.values(); err != nil {
			return nil, err
		}
	}
	return json.Marshal(p)
}

// Restore goes on where Progress was told. has says which of the variables that are
// remembered there are, fill sets them. It is called under the lock, of a compiled model.
func (m *Model) Restore(text []byte, has func(name string) bool, fill func(remembered []network.Weight) error) error {
	var p progress
	if err := json.Unmarshal(text, &p); err != nil {
		return fmt.Errorf("expected JSON of how far training has come: %w", err)
	}
	m.prepareSaved(has)
	if err := fill(m.Remembered()); err != nil {
		return err
	}
	if err := m.PCG.UnmarshalBinary(p.Random); err != nil {
		return fmt.Errorf("expected the state of the random numbers: %w", err)
	}
	m.compiled.iteration, m.compiled.rate, m.position = p.Iteration, p.LearningRate, p.Position
	if p.Spent != nil {
		m.spent = *p.Spent
	}
	if len(p.Noise) == 3 {
		m.noise = &noise{host: p.Noise}
	}
	return nil
}

// restore is the callbacks' Restore: it goes on where a file left off.
func (t *training) restore(path string) error {
	m := t.model
	m.Lock.Lock()
	defer m.Lock.Unlock()
	if err := t.config.Hooks.Restore(path); err != nil {
		return err
	}
	m.prepareSlots() // for what the file has none of
	t.vars = append(slices.Clone(m.Weights), m.state()...)
	t.state.Epoch, t.resume = m.position.Epoch, true
	if err := t.setRate(m.compiled.rate); err != nil {
		return err
	}
	return t.open()
}
