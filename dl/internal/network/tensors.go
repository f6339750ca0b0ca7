package network

import (
	"fmt"

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
		all = append(all, tensors.FromFlatDataAndDimensions(values, w.Shape.Dimensions...))
	}
	return all, nil
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
		if all[i], err = tensors.CopyFlatData[float32](values[i]); err != nil {
			return fmt.Errorf("weight %q: %w", w.Name, err)
		}
	}
	for i, w := range weights {
		w.Set(all[i])
	}
	return nil
}
