package layers

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// Padding says what a window does at the edges.
type Padding int

const (
	// Valid keeps the window inside the input: size' = (size − window)/stride + 1.
	Valid Padding = iota
	// Same pads with zeros so that size' = size/stride, rounded up. An odd
	// zero goes behind, as in TensorFlow.
	Same
)

// String is Keras's word.
func (p Padding) String() string {
	switch p {
	case Valid:
		return "valid"
	case Same:
		return "same"
	}
	return fmt.Sprintf("Padding(%d)", int(p))
}

func (p Padding) check() error {
	if p != Valid && p != Same {
		return fmt.Errorf("expected Padding Valid or Same, got %v", p)
	}
	return nil
}

// outputSize is the number of places that a window has along an axis.
func (p Padding) outputSize(size, window, stride int) (int, error) {
	if p == Same {
		return (size + stride - 1) / stride, nil
	}
	if size < window {
		return 0, fmt.Errorf("expected a size of at least %d, got %d (Padding Same would pad it)", window, size)
	}
	return (size-window)/stride + 1, nil
}

// amounts is how many zeros Same puts before and behind an axis.
func (p Padding) amounts(size, window, stride int) [2]int {
	if p == Valid {
		return [2]int{}
	}
	out := (size + stride - 1) / stride
	total := max((out-1)*stride+window-size, 0)
	return [2]int{total / 2, total - total/2}
}

// pad puts values before and behind an axis. graph.Pad has no gradient.
func pad(x *graph.Node, axis int, amounts [2]int, value float64) *graph.Node {
	var parts []*graph.Node
	part := func(n int) {
		if n > 0 {
			dims := slices.Clone(x.Shape().Dimensions)
			dims[axis] = n
			parts = append(parts, graph.BroadcastToDims(graph.Scalar(x.Graph(), x.DType(), value), dims...))
		}
	}
	part(amounts[0])
	parts = append(parts, x)
	part(amounts[1])
	if len(parts) == 1 {
		return x
	}
	return graph.Concatenate(parts, axis)
}

// orOnes gives each axis that is 0 the value 1.
func orOnes(v [2]int) [2]int { return orElse(v, [2]int{1, 1}) }

// orElse gives each axis that is 0 that of def.
func orElse(v, def [2]int) [2]int {
	for i := range v {
		if v[i] == 0 {
			v[i] = def[i]
		}
	}
	return v
}
