package explain

import (
	"fmt"
	"slices"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Joined is a model of several inputs as one of one input, for methods to explain: all inputs,
// flattened, one behind the other. It has the model's own weights. Join makes its input, Split
// takes attributions apart.
//
// Methods of gradients refuse it if one of the inputs is words; LRP, DeepSHAP and GradCAM have no
// rule for taking the input apart.
func Joined(m *dl.Model) (*dl.Model, error) {
	if m == nil || len(m.Inputs()) == 0 {
		return nil, fmt.Errorf("explain: expected a built model, got one without inputs")
	}
	total := 0
	for _, in := range m.Inputs() {
		total += in.Shape().Size()
	}
	flat := dl.Input(layers.Shape{total})
	var parts []*dl.Symbol
	at := 0
	for _, in := range m.Inputs() {
		n := in.Shape().Size()
		part := ops.Slice(flat, 1, at, at+n)
		parts = append(parts, dl.Apply(layers.Reshape{TargetShape: in.Shape()}, part))
		at += n
	}
	out, err := dl.ApplyAll(m, parts...)
	if err != nil {
		return nil, err
	}
	return dl.Functional([]*dl.Symbol{flat}, out)
}

// Join makes one input of several, [batch, …] each.
func Join(inputs ...*tensor.Tensor) (*tensor.Tensor, error) {
	if len(inputs) == 0 || slices.Contains(inputs, nil) {
		return nil, fmt.Errorf("explain: expected inputs, got none or nil")
	}
	batch := 0
	var flats [][]float32
	for i, x := range inputs {
		flat, err := tensor.Flat[float32](x)
		d := x.Shape().Dimensions
		if err != nil || len(d) == 0 || d[0] == 0 || i > 0 && d[0] != batch {
			return nil, fmt.Errorf("explain: expected inputs of float32, [batch, …], with as many examples each, got %v as number %d", x.Shape(), i)
		}
		batch = d[0]
		flats = append(flats, flat)
	}
	var out []float32
	for b := range batch {
		for _, flat := range flats {
			n := len(flat) / batch
			out = append(out, flat[b*n:(b+1)*n]...)
		}
	}
	return tensor.New(out, batch, len(out)/batch), nil
}

// Split takes attributions of Joined(m) apart, into those of m's inputs.
func Split(m *dl.Model, a *tensor.Tensor) ([]*tensor.Tensor, error) {
	if m == nil || a == nil {
		return nil, fmt.Errorf("explain: expected a model and attributions, got nil")
	}
	flat, err := tensor.Flat[float32](a)
	d := a.Shape().Dimensions
	total := 0
	for _, in := range m.Inputs() {
		total += in.Shape().Size()
	}
	if err != nil || len(d) != 2 || d[1] != total {
		return nil, fmt.Errorf("explain: expected attributions of shape (batch, %d), got %v", total, a.Shape())
	}
	var all []*tensor.Tensor
	at := 0
	for _, in := range m.Inputs() {
		n := in.Shape().Size()
		var own []float32
		for b := range d[0] {
			own = append(own, flat[b*total+at:b*total+at+n]...)
		}
		all = append(all, tensor.New(own, append([]int{d[0]}, in.Shape()...)...))
		at += n
	}
	return all, nil
}
