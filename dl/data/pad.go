package data

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/tensor"
)

// PadConfig says how sequences get one length. Its zero value is Keras's default.
type PadConfig struct {
	// MaxLen is the length; 0 means that of the longest sequence.
	MaxLen int
	// PadBehind puts what is missing behind a sequence, and not before it.
	PadBehind bool
	// CutBehind cuts what is too much off the end of a sequence, and not off its beginning.
	CutBehind bool
	// Value is what is missing.
	Value float64
}

// PadSequences makes a tensor [n, length] of sequences of different lengths.
//
// Source: https://keras.io/api/data_loading/timeseries/#padsequences-function
func PadSequences[T float32 | float64 | int32 | int64 | uint8](sequences [][]T, c PadConfig) (*tensor.Tensor, error) {
	if len(sequences) == 0 || c.MaxLen < 0 {
		return nil, fmt.Errorf("data: expected at least one sequence and a MaxLen of at least 1 (or 0 for the longest), got %d and %d", len(sequences), c.MaxLen)
	}
	length := c.MaxLen
	for _, s := range sequences {
		if c.MaxLen == 0 {
			length = max(length, len(s))
		}
	}
	if length == 0 {
		return nil, fmt.Errorf("data: expected at least one sequence that is not empty")
	}
	fill := T(c.Value)
	if float64(fill) != c.Value {
		return nil, fmt.Errorf("data: expected a Value that a %T can hold, got %v", fill, c.Value)
	}
	out := make([]T, len(sequences)*length)
	for i, s := range sequences {
		row := out[i*length : (i+1)*length]
		if len(s) > length {
			if c.CutBehind {
				s = s[:length]
			} else {
				s = s[len(s)-length:]
			}
		}
		at := length - len(s)
		if c.PadBehind {
			at = 0
		}
		for j := range row {
			row[j] = fill
		}
		copy(row[at:], s)
	}
	return tensors.FromFlatDataAndDimensions(out, len(sequences), length), nil
}
