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
	// Masks are given for some of In, instead of those that come with them; nil where none is,
	// and nil as a whole if none is at all.
	Masks []*Symbol
	Spec  layers.Spec
}

// Needs are all symbols that a call is made of.
func (c *Call) Needs() []*Symbol {
	all := c.In
	for _, m := range c.Masks {
		if m != nil {
			all = append(all[:len(all):len(all)], m)
		}
	}
	return all
}

// Apply applies a layer to symbols, and returns those of its outputs.
func Apply(l *Layer, in ...*Symbol) ([]*Symbol, error) { return ApplyMasked(l, in, nil) }

// ApplyMasked is Apply with masks for some of the symbols.
func ApplyMasked(l *Layer, in, masks []*Symbol) ([]*Symbol, error) {
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
	for _, m := range masks {
		if m != nil {
			locks = append(locks, m.From.Layer.Lock)
		}
	}
	Join(locks...)
	spec, err := l.build(shapes)
	if err != nil {
		return nil, err
	}
	l.Lock.Lock()
	defer l.Lock.Unlock()
	c := &Call{Layer: l, In: in, Masks: masks, Spec: spec}
	for _, shape := range spec.All() {
		c.Out = append(c.Out, &Symbol{Shape: shape, From: c})
	}
	l.Calls = append(l.Calls, c)
	return c.Out, nil
}
