package networks

import (
	"fmt"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/layers"
)

// Products is how many products of two numbers a network adds up for one example, forwards: what its layers do
// with their kernels, and attention with its scores. The rest is little beside it.
func Products(m *dl.Model) (int, error) {
	total := 0
	for _, l := range m.Layers() {
		weights, err := l.Weights()
		if err != nil {
			return 0, fmt.Errorf("%s: %w", l, err)
		}
		kernels := 0
		for _, w := range weights {
			if w.Rank() > 1 {
				kernels += w.Shape().Size()
			}
		}
		out := l.OutputShape()
		switch c := l.Config().(type) {
		case layers.Embedding, positions: // which only look up and add
		case layers.LSTM, layers.GRU, layers.SimpleRNN:
			total += l.Input().Shape()[0] * kernels
		case layers.MultiHeadAttention:
			steps := out[0]
			total += steps*kernels + 2*steps*steps*c.NumHeads*c.KeyDim
		default:
			if kernels > 0 {
				total += product(out[:len(out)-1]) * kernels
			}
		}
	}
	return total, nil
}

func product(n []int) int {
	p := 1
	for _, d := range n {
		p *= d
	}
	return p
}
