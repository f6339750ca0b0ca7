package layers

import (
	"fmt"
	"slices"
)

// Padding says what a window does at the edges.
type Padding int

const (
	// Valid keeps the window inside the input: size' = (size − window)/stride + 1.
	Valid Padding = iota
	// Same pads with zeros so that size' = size/stride, rounded up. An odd
	// zero goes behind, as in TensorFlow.
	Same
	// Causal pads with zeros before, so that no output depends on what comes
	// after it. It is for Conv1D.
	Causal
)

var paddings = []string{"valid", "same", "causal"}

// String is Keras's word.
func (p Padding) String() string {
	if p >= 0 && int(p) < len(paddings) {
		return paddings[p]
	}
	return fmt.Sprintf("Padding(%d)", int(p))
}

// UnmarshalText reads Keras's word.
func (p *Padding) UnmarshalText(text []byte) error {
	i := slices.Index(paddings, string(text))
	if i < 0 {
		return fmt.Errorf("expected a padding of valid, same or causal, got %q", text)
	}
	*p = Padding(i)
	return nil
}

func (p Padding) check() error {
	if p != Valid && p != Same {
		return fmt.Errorf("expected Padding Valid or Same, got %v", p)
	}
	return nil
}

// outputSize is the number of places that a window has along an axis.
func (p Padding) outputSize(size, window, stride int) (int, error) {
	if p != Valid {
		return (size + stride - 1) / stride, nil
	}
	if size < window {
		return 0, fmt.Errorf("expected a size of at least %d, got %d (Padding Same would pad it)", window, size)
	}
	return (size-window)/stride + 1, nil
}

// amounts is how many zeros Same puts before and behind an axis, and Causal before.
func (p Padding) amounts(size, window, stride int) [2]int {
	switch p {
	case Same:
		out := (size + stride - 1) / stride
		total := max((out-1)*stride+window-size, 0)
		return [2]int{total / 2, total - total/2}
	case Causal:
		return [2]int{window - 1, 0}
	default:
		return [2]int{}
	}
}
