package explain

import (
	"fmt"
	"math"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/tensor"
)

// question is an input with its targets, and what computes them.
type question struct {
	*values
	// flat is the input, of shape; of words what the embedding makes of them.
	flat  []float32
	shape []int
	units []int32
}

// ask checks an input, makes what computes a target, and finds the units of the examples.
func ask(m *dl.Model, x *tensor.Tensor, t Target, create func() (*values, error)) (*question, error) {
	flat, err := wanted(m, x)
	if err != nil {
		return nil, err
	}
	if err := t.check(m); err != nil {
		return nil, err
	}
	v, err := create()
	if err != nil {
		return nil, err
	}
	q := &question{values: v, flat: flat, shape: x.Shape().Dimensions}
	if q.units, err = t.units(q.shape[0], v.size); err != nil {
		return nil, err
	}
	if v.words != nil {
		v.words.ids = tensor.New(flat, q.shape...)
		if q.flat, q.shape, err = v.words.embed(v.words.ids); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// size is how many numbers an example has.
func (q *question) size() int { return len(q.flat) / q.shape[0] }

// example is one of them.
func (q *question) example(i int) []float32 { return q.flat[i*q.size() : (i+1)*q.size()] }

// baseline is one example's numbers; nil means zeros, or the word 0.
func (q *question) baseline(b *tensor.Tensor) ([]float32, error) {
	size := q.size()
	if q.words != nil {
		size /= q.shape[len(q.shape)-1]
	}
	if b == nil {
		b = tensor.New(make([]float32, size), size)
	}
	flat, err := tensor.Flat[float32](b)
	if err != nil || len(flat) != size {
		return nil, fmt.Errorf("explain: expected a baseline of one example, %d numbers of float32, got %v", size, b.Shape())
	}
	if !finite(flat) {
		return nil, fmt.Errorf("explain: expected a baseline of finite numbers")
	}
	if q.words == nil {
		return flat, nil
	}
	flat, _, err = q.words.embed(tensor.New(flat, append([]int{1}, q.shape[1:len(q.shape)-1]...)...))
	return flat, err
}

// gradient is that of each example, and the target.
func (q *question) gradient(flat []float32) (g, y []float32, err error) {
	out, err := q.call(flat, q.shape, q.units)
	if err != nil {
		return nil, nil, err
	}
	if g, err = tensor.Flat[float32](out[0]); err != nil {
		return nil, nil, err
	}
	y, err = tensor.Flat[float32](out[1])
	return g, y, err
}

// answer are attributions in the input's shape.
func (q *question) answer(a []float32) *tensor.Tensor {
	return q.folded(a, func(word []float32) (sum float64) {
		for _, v := range word {
			sum += float64(v)
		}
		return sum
	})
}

// strength is how much there is of a in the input's shape: of a word, the Euclidean norm.
func (q *question) strength(a []float32) *tensor.Tensor {
	if q.words == nil {
		for i, v := range a {
			a[i] = max(v, -v)
		}
	}
	return q.folded(a, func(word []float32) (sum float64) {
		for _, v := range word {
			sum = math.Hypot(sum, float64(v))
		}
		return sum
	})
}

func (q *question) folded(a []float32, f func(word []float32) float64) *tensor.Tensor {
	if q.words == nil {
		return tensor.New(a, q.shape...)
	}
	last := len(q.shape) - 1
	out := make([]float32, len(a)/q.shape[last])
	for i := range out {
		out[i] = float32(f(a[i*q.shape[last] : (i+1)*q.shape[last]]))
	}
	return tensor.New(out, q.shape[:last]...)
}
