package dl

import (
	"fmt"
	"os"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/mapping"
	"github.com/gradbook/gradbook/dl/internal/network"
)

// TensorReader gives tensors by name, as safetensors.Reader does.
type TensorReader interface {
	// Names are the names that there are.
	Names() []string
	// Tensor reads one.
	Tensor(name string) (*Tensor, error)
}

// Mapping says where a model's weights come from: the first line that fits a weight's name
// tells.
type Mapping []From

// From is a line of a Mapping. What the weight gets is the tensor, of which Part is taken, whose
// axes are put into the order Axes, and whose numbers Reshape puts into the weight's shape.
type From struct {
	// Weight is the name of a weight, "layer/weight", in which * stands for anything but a
	// slash: "block_*/dense/kernel".
	Weight string
	// Tensor is the name of a tensor, in which * stands for what it stands for in Weight:
	// "encoder.layer.*.output.dense.weight".
	Tensor string
	// Axes is the order of the tensor's axes; nil leaves them. PyTorch has the kernel of a
	// Dense layer the other way round: []int{1, 0}.
	Axes []int
	// Reshape puts the numbers, in their order, into the weight's shape. Without it the shapes
	// must be the same.
	Reshape bool
	// Parts cuts the tensor along its first axis into so many, of which Part is taken, from 0
	// on; 0 takes the whole.
	Parts, Part int
}

// SetWeightsFrom sets all weights to tensors of a reader, by a mapping. Floats of 16 and 64 bits
// become float32. If a weight has no line, or its tensor is missing or does not fit, none is
// changed, and the error says which.
func (m *Model) SetWeightsFrom(r TensorReader, table Mapping) error {
	m.m.Lock.Lock()
	defer m.m.Lock.Unlock()
	if m.m.Inputs == nil {
		return m.notBuilt()
	}
	kept := network.Kept(m.m.Weights)
	has := make(map[string]bool)
	for _, name := range r.Names() {
		has[name] = true
	}
	var all []*tensors.Tensor
	for _, w := range kept {
		t, err := table.tensor(r, has, w)
		if err != nil {
			return edge(fmt.Errorf("model %q: weight %q of shape %v: %w", m.m.Name, w.Name, w.Shape.Dimensions, err))
		}
		all = append(all, t)
	}
	return edge(network.Write(fmt.Sprintf("model %q", m.m.Name), kept, all))
}

// tensor is what a weight gets.
func (table Mapping) tensor(r TensorReader, has map[string]bool, w network.Weight) (*tensors.Tensor, error) {
	for _, line := range table {
		stars, ok := mapping.Match(line.Weight, w.Name)
		if !ok {
			continue
		}
		if n := strings.Count(line.Tensor, "*"); n > len(stars) {
			return nil, fmt.Errorf("expected at most %d * in tensor %q, as many as in %q, got %d", len(stars), line.Tensor, line.Weight, n)
		}
		name := mapping.Fill(line.Tensor, stars)
		if !has[name] {
			return nil, fmt.Errorf("there is no tensor %q", name)
		}
		t, err := r.Tensor(name)
		if err != nil {
			return nil, err
		}
		if t, err = mapping.Apply(t, line.Axes, line.Parts, line.Part); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		if n := mapping.NotNumbers(t); n > 0 {
			fmt.Fprintf(os.Stderr, "dl: tensor %q has %d values that are no numbers (NaN)\n", name, n)
		}
		return mapping.Fit(name, t, w.Shape.Dimensions, line.Reshape)
	}
	return nil, fmt.Errorf("no line of the mapping is for it")
}
