package network

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	"github.com/gomlx/compute/dtypes"

	"github.com/gradbook/gradbook/dl/internal/fault"
	"github.com/gradbook/gradbook/dl/layers"
)

// Kind is how a network was made.
type Kind string

// The kinds of networks, by Keras's words.
const (
	Sequential Kind = "Sequential"
	Functional Kind = "Functional"
)

// DefaultName is the name of a network that has none of its own.
func (k Kind) DefaultName() string {
	if k == Sequential {
		return "sequential"
	}
	return "functional"
}

// Network is layers that follow each other, and their weights. It is a layer itself.
type Network struct {
	Name  string
	Named bool // by its user
	Kind  Kind
	// Stack are the layers that a Sequential network was made of.
	Stack []*Layer
	// Lock guards all that follows.
	Lock *Lock

	// What follows is there once the network is built.

	Inputs, Outputs []*Symbol
	Calls           []*Call  // each after those that it needs
	Layers          []*Layer // in the order of Keras
	Weights         []Weight // in the order of Layers
	Listed          []*Layer // in the order of the file that it was read from

	// Random is for first weights and for shuffling, and draws from PCG.
	Random *rand.Rand
	PCG    *rand.PCG
	// Seeded says that results must be repeatable.
	Seeded bool
	// Policy is the type in which layers compute; zero leaves all as it is.
	Policy dtypes.DType
	// Most is how many numbers its weights may have together; 0 is any.
	Most int
	// Face is what stands for the network elsewhere.
	Face Face

	built atomic.Bool
	layer Face // the network as a layer of others
}

// New makes a network that is not built.
func New(kind Kind, pcg *rand.PCG, seeded bool, policy dtypes.DType) *Network {
	return &Network{
		Name: kind.DefaultName(), Kind: kind, Lock: NewLock(),
		Random: rand.New(pcg), PCG: pcg, Seeded: seeded, Policy: policy,
	}
}

// Built says whether shapes are known and weights made.
func (n *Network) Built() bool { return n.built.Load() }

// Ensure builds a Sequential network, or checks that it is built for that input. Nothing is
// locked when it is called.
func (n *Network) Ensure(input layers.Shape) error {
	if !n.Built() {
		return n.BuildStack(layers.Input{Shape: input})
	}
	if len(n.Inputs) != 1 || !n.Inputs[0].Shape.Equal(input) {
		e := &fault.ShapeError{Got: input, Text: fmt.Sprintf("model %q is built for input of shape %v, got %v", n.Name, shapesOf(n.Inputs), input)}
		if len(n.Inputs) == 1 {
			e.Expected = n.Inputs[0].Shape
		}
		return e
	}
	return nil
}

// BuildStack builds a Sequential network. Nothing is locked when it is called.
func (n *Network) BuildStack(in layers.Input) error {
	first, err := Apply(NewLayer(in))
	if err != nil {
		return err
	}
	end := first
	for _, l := range n.Stack {
		if end, err = Apply(l, end...); err != nil {
			return err
		}
		if len(end) != 1 {
			return fmt.Errorf("%s: expected a layer of one output, got one of %d; use ApplyAll", l, len(end))
		}
	}
	return n.Connect(first, end)
}

func shapesOf(symbols []*Symbol) any {
	if len(symbols) == 1 {
		return symbols[0].Shape
	}
	var all []layers.Shape
	for _, s := range symbols {
		all = append(all, s.Shape)
	}
	return all
}

// All are the layers, also before the network is built.
func (n *Network) All() []*Layer {
	if n.Layers == nil {
		return Unique(n.Stack)
	}
	return n.Layers
}

// Taker is who takes an input: the layer that is applied to it, which says more to a reader
// than the input's own name.
func (n *Network) Taker(in *Symbol) *Layer {
	for _, c := range n.Calls {
		for _, s := range c.In {
			if s == in {
				return c.Layer
			}
		}
	}
	return in.From.Layer
}

// OutputNames are the names by which losses and logs speak of the outputs.
func (n *Network) OutputNames() []string {
	var names []string
	seen := make(map[string]int)
	for _, s := range n.Outputs {
		name := s.From.Layer.Name
		seen[name]++
		if seen[name] > 1 {
			name = fmt.Sprintf("%s_%d", name, seen[name]-1)
		}
		names = append(names, name)
	}
	return names
}

// CallsOf are the calls of a layer in this network.
func (n *Network) CallsOf(l *Layer) (own []*Call) {
	for _, c := range n.Calls {
		if c.Layer == l {
			own = append(own, c)
		}
	}
	return own
}

// Widest is the size of the largest that a layer gives for an example.
func (n *Network) Widest() int {
	size := 1
	for _, c := range n.Calls {
		if nested := c.Layer.Nested(); nested != nil {
			size = max(size, nested.Widest())
		}
		for _, s := range c.Out {
			size = max(size, s.Shape.Size())
		}
	}
	return size
}
