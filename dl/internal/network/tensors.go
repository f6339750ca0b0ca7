package network

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/fault"
)

// Read returns copies of weights.
func Read(weights []Weight) ([]*tensors.Tensor, error) {
	var all []*tensors.Tensor
	for _, w := range weights {
		values, err := w.Values()
		if err != nil {
			return nil, err
		}
		all = append(all, w.tensor(values))
	}
	return all, nil
}

func (v *Variable) tensor(values []float32) *tensors.Tensor {
	if v.run == 0 {
		return tensors.FromFlatDataAndDimensions(values, v.Shape.Dimensions...)
	}
	whole := make([]int8, len(values))
	for i, x := range values {
		whole[i] = int8(x)
	}
	return tensors.FromFlatDataAndDimensions(whole, v.Shape.Dimensions...)
}

// Floats are the values of a weight as Read returns it, which may be whole numbers of 8 bits.
func Floats(t *tensors.Tensor) ([]float32, error) {
	if t.DType() != dtypes.Int8 {
		return tensors.CopyFlatData[float32](t)
	}
	whole, err := tensors.CopyFlatData[int8](t)
	values := make([]float32, len(whole))
	for i, x := range whole {
		values[i] = float32(x)
	}
	return values, err
}

// Write replaces all of weights, or none.
func Write(what string, weights []Weight, values []*tensors.Tensor) error {
	if len(values) != len(weights) {
		return fmt.Errorf("expected %d weights for %s, got %d", len(weights), what, len(values))
	}
	all := make([][]float32, len(weights))
	for i, w := range weights {
		if values[i] == nil {
			return fmt.Errorf("expected %v for weight %q, got nil", w.Shape, w.Name)
		}
		if !values[i].Shape().Equal(w.Shape) {
			return &fault.ShapeError{
				Layer: what, Expected: w.Shape.Dimensions, Got: values[i].Shape().Dimensions,
				Text: fmt.Sprintf("expected %v for weight %q, got %v", w.Shape, w.Name, values[i].Shape()),
			}
		}
		var err error
		if all[i], err = Floats(values[i]); err != nil {
			return fmt.Errorf("weight %q: %w", w.Name, err)
		}
	}
	for i, w := range weights {
		w.Set(all[i])
	}
	return nil
}
