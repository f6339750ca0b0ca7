package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"
)

// ArgMax returns, for each example, the place of the largest value: the class
// that a model's output speaks for. outputs is [n, classes], as Predict returns
// it. The first of several largest values counts.
func ArgMax(outputs *Tensor) ([]int, error) {
	if outputs == nil || outputs.Rank() != 2 {
		return nil, edge(fmt.Errorf("expected outputs of shape [n, classes] for ArgMax, got %v", outputs))
	}
	values, err := tensors.CopyFlatData[float32](outputs)
	if err != nil {
		return nil, edge(err)
	}
	n, classes := outputs.Shape().Dimensions[0], outputs.Shape().Dimensions[1]
	best := make([]int, n)
	for i := range best {
		row := values[i*classes : (i+1)*classes]
		for j, v := range row {
			if v > row[best[i]] {
				best[i] = j
			}
		}
	}
	return best, nil
}
