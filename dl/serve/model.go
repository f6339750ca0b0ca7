package serve

import (
	"context"
	"fmt"
	"math"
)

// Model computes batches. It is called by one goroutine at a time.
type Model interface {
	// Describe says what the model takes and returns.
	Describe() Description
	// Predict computes a batch: of each input and output the first axis is its examples,
	// of which all have the same number. What it is given is its own until it returns.
	Predict(ctx context.Context, inputs []Tensor) ([]Tensor, error)
}

// Padded is a Model that is quick for some sizes of batches only, as what is compiled for each
// size is: batches are filled up to one of them.
type Padded interface {
	// Sizes are those, from the smallest to the largest.
	Sizes() []int
}

// Computed is a Model that a function is, as that of an exported package: it gets the numbers of
// each input, and returns those of each output.
type Computed struct {
	Description Description
	Function    func(inputs [][]float32) (outputs [][]float32, err error)
}

// Describe implements Model.
func (c Computed) Describe() Description { return c.Description }

// Predict implements Model.
func (c Computed) Predict(_ context.Context, inputs []Tensor) ([]Tensor, error) {
	numbers := make([][]float32, len(inputs))
	for i, t := range inputs {
		numbers[i] = t.Data
	}
	out, err := c.Function(numbers)
	if err != nil {
		return nil, err
	}
	if len(out) != len(c.Description.Outputs) {
		return nil, fmt.Errorf("expected %d outputs, got %d", len(c.Description.Outputs), len(out))
	}
	var outputs []Tensor
	for i, p := range c.Description.Outputs {
		outputs = append(outputs, Tensor{append([]int{inputs[0].Shape[0]}, p.Shape...), out[i]})
	}
	return outputs, nil
}

// Description is what a model takes and returns.
type Description struct {
	// Platform is what computes it: "gradbook_xla".
	Platform        string
	Inputs, Outputs []Port
}

// Port is an input or an output.
type Port struct {
	Name string
	// Datatype is the protocol's name of the type that clients see: "FP32". Models compute
	// in float32, so whole numbers beyond 2²⁴ are refused.
	Datatype string
	// Shape is that of an example, without the batch.
	Shape []int
}

// size is how many numbers an example has.
func (p Port) size() int {
	n := 1
	for _, d := range p.Shape {
		n *= d
	}
	return n
}

// Tensor is numbers in rows.
type Tensor struct {
	Shape []int
	Data  []float32
}

// widths are the bytes of numbers, by the protocol's names of their types.
var widths = map[string]int{
	"BOOL": 1, "UINT8": 1, "UINT16": 2, "UINT32": 4, "UINT64": 8, "INT8": 1, "INT16": 2, "INT32": 4, "INT64": 8, "FP32": 4, "FP64": 8,
}

// bounds are the least and the greatest number of types that are whole numbers.
var bounds = map[string][2]float64{
	"BOOL": {0, 1}, "UINT8": {0, math.MaxUint8}, "UINT16": {0, math.MaxUint16}, "UINT32": {0, exact}, "UINT64": {0, exact},
	"INT8": {math.MinInt8, math.MaxInt8}, "INT16": {math.MinInt16, math.MaxInt16}, "INT32": {-exact, exact}, "INT64": {-exact, exact},
}

// exact is the largest whole number up to which float32 has all of them.
const exact = 1 << 24

// fits says whether a number is one of a type.
func fits(datatype string, v float64) error {
	b, ok := bounds[datatype]
	if !ok {
		return nil
	}
	if v != math.Trunc(v) || v < b[0] || v > b[1] {
		return fmt.Errorf("expected a number of %s from %.0f to %.0f, got %g", datatype, b[0], b[1], v)
	}
	return nil
}

// checked is how many examples the inputs of a request have, each of which must be the model's.
func checked(d Description, inputs []Tensor) (int, error) {
	n := -1
	for i, p := range d.Inputs {
		t := inputs[i]
		if len(t.Shape) != len(p.Shape)+1 {
			return 0, fmt.Errorf("input %q: expected shape [n%s], got %v", p.Name, behind(p.Shape), t.Shape)
		}
		for k, want := range p.Shape {
			if t.Shape[k+1] != want {
				return 0, fmt.Errorf("input %q: expected shape [n%s], got %v", p.Name, behind(p.Shape), t.Shape)
			}
		}
		if t.Shape[0] < 1 {
			return 0, fmt.Errorf("input %q: expected at least one example, got shape %v", p.Name, t.Shape)
		}
		if n >= 0 && t.Shape[0] != n {
			return 0, fmt.Errorf("input %q: expected %d examples, as the inputs before, got %d", p.Name, n, t.Shape[0])
		}
		n = t.Shape[0]
		for k, v := range t.Data {
			if v-v != 0 {
				return 0, fmt.Errorf("input %q: expected numbers, and number %d is %v", p.Name, k, v)
			}
		}
		if len(t.Data) != n*p.size() {
			return 0, fmt.Errorf("input %q: expected %d numbers for shape %v, got %d", p.Name, n*p.size(), t.Shape, len(t.Data))
		}
	}
	return n, nil
}

func behind(shape []int) string {
	text := ""
	for _, d := range shape {
		text += fmt.Sprintf(", %d", d)
	}
	return text
}
