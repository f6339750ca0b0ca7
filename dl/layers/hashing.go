package layers

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/dchest/siphash"
)

// Hashing turns categories into numbers without a vocabulary: each goes into a bin that its hash
// chooses, and several may share one. XLA knows no text, so it is no layer of a model, but is
// applied to the data before. The bins are TensorFlow's: FarmHash64, or SipHash-2-4 with a Salt,
// of the text, modulo their number.
//
// Source: https://keras.io/api/layers/preprocessing_layers/categorical/hashing/
type Hashing struct {
	// NumBins is how many bins there are.
	NumBins int
	// MaskValue is a category that stands for none, and alone in bin 0; nil is none.
	MaskValue *string
	// Salt is SipHash's key of two numbers, or of one that is both; nil is FarmHash64.
	Salt []uint64
	// OutputMode is "int" (a bin for each category; "" means it), "one_hot" (a vector for rows of
	// one), "multi_hot" (1 for each bin that occurs) or "count" (how often).
	OutputMode string
}

// Transform turns rows of categories into rows of numbers: of bins in mode "int", and otherwise
// with a place for each bin.
func (l Hashing) Transform(rows [][]string) ([][]float32, error) {
	if l.NumBins < 1 || l.NumBins > most {
		return nil, fmt.Errorf("layers.Hashing: expected NumBins from 1 to %d, which float32 can tell apart, got %d", most, l.NumBins)
	}
	if len(l.Salt) > 2 {
		return nil, fmt.Errorf("layers.Hashing: expected a Salt of one number or two, got %d", len(l.Salt))
	}
	if !slices.Contains([]string{"", "int", "one_hot", "multi_hot", "count"}, l.OutputMode) {
		return nil, fmt.Errorf("layers.Hashing: expected OutputMode int, one_hot, multi_hot or count, got %q", l.OutputMode)
	}
	out := make([][]float32, len(rows))
	for i, row := range rows {
		if l.OutputMode == "one_hot" && len(row) != 1 {
			return nil, fmt.Errorf("layers.Hashing: row %d: expected one category for a one_hot vector, got %d", i, len(row))
		}
		var bins []int
		for _, v := range row {
			bins = append(bins, l.bin(v))
		}
		out[i] = counts(bins, l.OutputMode, l.NumBins, nil)
	}
	return out, nil
}

// TransformIntegers is Transform for categories that are whole numbers, which are hashed as text.
func (l Hashing) TransformIntegers(rows [][]int64) ([][]float32, error) {
	texts := make([][]string, len(rows))
	for i, row := range rows {
		for _, v := range row {
			texts[i] = append(texts[i], strconv.FormatInt(v, 10))
		}
	}
	return l.Transform(texts)
}

func (l Hashing) bin(v string) int {
	bins, first := l.NumBins, 0
	if l.MaskValue != nil && bins > 1 {
		if v == *l.MaskValue {
			return 0
		}
		bins, first = bins-1, 1
	}
	if l.Salt == nil {
		return first + farmBucket(v, bins)
	}
	return first + int(siphash.Hash(l.Salt[0], l.Salt[len(l.Salt)-1], []byte(v))%uint64(bins))
}
