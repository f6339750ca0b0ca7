package layers

import "fmt"

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
