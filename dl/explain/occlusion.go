package explain

import (
	"fmt"
	"slices"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Occlusion is by how much the target falls when a part of the input is replaced. It needs no
// gradients. What it puts there is an input the model never saw, and two parts that say the
// same are each worth nothing to it.
//
// Source: Zeiler and Fergus (2014), https://arxiv.org/abs/1311.2901.
type Occlusion struct {
	// Window is the size of a part along each axis of an example; nil means 1 of each. Of
	// images, {4, 4, channels} is usual.
	Window []int
	// Strides is how far parts are from each other; nil means Window, without overlap. What
	// several parts cover gets their mean.
	Strides []int
	// Fill is what parts are replaced by.
	Fill float32
}

// Attribute implements Method.
func (o Occlusion) Attribute(m *dl.Model, x *tensor.Tensor, t Target) (*tensor.Tensor, error) {
	q, err := ask(m, x, t, plain(m, t))
	if err != nil {
		return nil, err
	}
	example, size := q.shape[1:], q.size()
	parts, err := o.parts(example)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(q.flat))
	for b := range q.shape[0] {
		own := q.example(b)
		inputs := slices.Clone(own)
		for _, part := range parts {
			inputs = append(inputs, own...)
			for _, k := range part {
				inputs[len(inputs)-size+k] = o.Fill
			}
		}
		y, err := q.targets(inputs, example, slices.Repeat(q.units[b:b+1], len(parts)+1))
		if err != nil {
			return nil, err
		}
		sum, count := make([]float64, size), make([]float64, size)
		for i, part := range parts {
			for _, k := range part {
				sum[k] += y[0] - y[i+1]
				count[k]++
			}
		}
		for k := range sum {
			out[b*size+k] = float32(sum[k] / max(count[k], 1))
		}
	}
	return q.answer(out), nil
}

// parts are the places of each part in an example.
func (o Occlusion) parts(example []int) (parts [][]int, err error) {
	window, strides := o.Window, o.Strides
	if window == nil {
		window = slices.Repeat([]int{1}, len(example))
	}
	if strides == nil {
		strides = window
	}
	if len(window) != len(example) || len(strides) != len(example) {
		return nil, fmt.Errorf("explain: expected a Window and Strides of %d axes, got %v and %v", len(example), window, strides)
	}
	parts = [][]int{{0}}
	for a, n := range example {
		if window[a] < 1 || window[a] > n || strides[a] < 1 {
			return nil, fmt.Errorf("explain: expected a Window of 1 to %d along axis %d and Strides above 0, got %d and %d", n, a, window[a], strides[a])
		}
		var next [][]int
		for _, part := range parts {
			for from := 0; ; from += strides[a] {
				var own []int
				for _, k := range part {
					for i := from; i < min(from+window[a], n); i++ {
						own = append(own, k*n+i)
					}
				}
				next = append(next, own)
				if from+window[a] >= n {
					break
				}
			}
		}
		parts = next
	}
	return parts, nil
}
