package network

import (
	"fmt"
	"slices"
)

// Connect finds the layers between inputs and outputs, and makes their weights. Nothing is
// locked when it is called.
func (n *Network) Connect(inputs, outputs []*Symbol) error {
	if len(inputs) == 0 || len(outputs) == 0 {
		return fmt.Errorf("expected at least one input and one output, got %d and %d", len(inputs), len(outputs))
	}
	locks := []*Lock{n.Lock}
	for _, s := range slices.Concat(inputs, outputs) {
		locks = append(locks, s.From.Layer.Lock)
	}
	Join(locks...)
	n.Lock.Lock()
	defer n.Lock.Unlock()
	batch := 0
	for _, s := range inputs {
		if in := AsInput(s.From.Layer.Config); in != nil {
			batch = max(batch, in.BatchSize)
		}
	}
	calls, err := between(inputs, outputs)
	if err != nil {
		return err
	}
	all := ordered(calls, inputs, n.Kind)
	named := all
	for _, s := range inputs { // a Sequential model does not count its input
		named = append(named[:len(named):len(named)], s.From.Layer)
	}
	if err := NameLayers(Unique(named)); err != nil {
		return err
	}
	if err := n.affordable(all); err != nil {
		return err
	}
	var weights []Weight
	seen := make(map[*Variable]bool)
	for _, l := range all {
		if err := l.fill(n.Random, batch); err != nil {
			return err
		}
		for i, v := range l.Weights {
			if !seen[v] {
				seen[v] = true
				weights = append(weights, Weight{l.Name + "/" + l.Spec.Weights[i].Name, v})
			}
		}
	}
	n.Inputs, n.Outputs, n.Calls, n.Layers, n.Weights = inputs, outputs, calls, all, weights
	n.built.Store(true)
	return nil
}

// affordable compares the weights of layers with how many numbers there may be, before any of
// them is made.
func (n *Network) affordable(all []*Layer) error {
	total := 0
	for _, l := range all {
		for _, w := range l.Spec.Weights {
			size := 1
			for _, d := range w.Shape {
				if n.Most > 0 && d > 0 && size > n.Most/d {
					return fmt.Errorf("%s: weight %q of shape %v is larger than all weights of the file, which has %d numbers", l, w.Name, w.Shape, n.Most)
				}
				size *= d
			}
			if total += size; n.Most > 0 && total > n.Most {
				return fmt.Errorf("%s: with its weights the model has more than the %d numbers that the file has", l, n.Most)
			}
		}
	}
	return nil
}

// between returns the calls that lead from inputs to outputs, each after those that it
// needs. What an input is itself made of is not looked at.
func between(inputs, outputs []*Symbol) ([]*Call, error) {
	given := make(map[*Symbol]bool)
	for _, s := range inputs {
		given[s] = true
	}
	var calls []*Call
	done := make(map[*Call]bool)
	var visit func(s *Symbol) error
	visit = func(s *Symbol) error {
		if given[s] || done[s.From] {
			return nil
		}
		c := s.From
		done[c] = true
		if len(c.In) == 0 {
			return fmt.Errorf("expected each input that the outputs need among the inputs of the model, %s is missing", c.Layer)
		}
		for _, in := range c.Needs() {
			if err := visit(in); err != nil {
				return err
			}
		}
		calls = append(calls, c)
		return nil
	}
	for _, s := range outputs {
		if err := visit(s); err != nil {
			return nil, err
		}
	}
	return calls, nil
}

// ordered returns the layers of calls, each once, in the order of Keras: by how far
// they are from the outputs, the farthest first, and then as they were made. A
// Functional model counts its inputs among them.
func ordered(calls []*Call, inputs []*Symbol, kind Kind) []*Layer {
	if kind == Sequential {
		var all []*Layer
		for _, c := range calls {
			all = append(all, c.Layer)
		}
		return Unique(all)
	}
	depth := make(map[*Call]int)
	for i := len(calls) - 1; i >= 0; i-- {
		for _, in := range calls[i].Needs() {
			depth[in.From] = max(depth[in.From], depth[calls[i]]+1)
		}
	}
	type at struct {
		layer *Layer
		depth int
	}
	var all []at
	place := make(map[*Layer]int)
	add := func(l *Layer, d int) {
		if i, ok := place[l]; ok {
			all[i].depth = max(all[i].depth, d)
			return
		}
		place[l] = len(all)
		all = append(all, at{l, d})
	}
	deepest := 0
	for _, d := range depth {
		deepest = max(deepest, d)
	}
	for _, s := range inputs {
		if AsInput(s.From.Layer.Config) != nil { // inputs are as far away as can be
			add(s.From.Layer, max(deepest, 1))
		}
	}
	for _, c := range calls {
		add(c.Layer, depth[c])
	}
	slices.SortStableFunc(all, func(a, b at) int { return b.depth - a.depth })
	var out []*Layer
	for _, a := range all {
		out = append(out, a.layer)
	}
	return out
}

// Unique returns each layer once, in order.
func Unique(all []*Layer) []*Layer {
	var out []*Layer
	seen := make(map[*Layer]bool)
	for _, l := range all {
		if !seen[l] {
			seen[l] = true
			out = append(out, l)
		}
	}
	return out
}
