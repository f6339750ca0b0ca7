package network

import (
	"errors"
	"fmt"

	"github.com/gradbook/gradbook/dl/layers"
)

// Symbol stands for a tensor that a network will compute.
type Symbol struct {
	Shape layers.Shape
	From  *Call
	// Face is what stands for the symbol elsewhere.
	Face Face
}

// Call is a layer that is applied to symbols.
type Call struct {
	Layer   *Layer
	In, Out []*Symbol
	Spec    layers.Spec
}

// Apply applies a layer to symbols, and returns those of its outputs.
func Apply(l *Layer, in ...*Symbol) ([]*Symbol, error) {
	if l.Config == nil {
		return nil, errors.New("expected a layer to apply, got nil")
	}
	input := AsInput(l.Config)
	if (input != nil) != (len(in) == 0) {
		return nil, fmt.Errorf("%s: expected at least one symbol to apply a layer to, and none for layers.Input, got %d", l, len(in))
	}
	shapes := make([]layers.Shape, len(in))
	locks := []*Lock{l.Lock}
	for i, s := range in {
		shapes[i] = s.Shape
		locks = append(locks, s.From.Layer.Lock)
	}
	Join(locks...)
	spec, err := l.build(shapes)
	if err != nil {
		return nil, err
	}
	l.Lock.Lock()
	defer l.Lock.Unlock()
	c := &Call{Layer: l, In: in, Spec: spec}
	for _, shape := range spec.All() {
		c.Out = append(c.Out, &Symbol{Shape: shape, From: c})
	}
	l.Calls = append(l.Calls, c)
	return c.Out, nil
}
