package dl

import (
	"errors"
	"fmt"
	"slices"
)

// connect finds the layers between inputs and outputs, and makes their weights.
func (m *Model) connect(inputs, outputs []*Symbol) error {
	if len(inputs) == 0 || len(outputs) == 0 {
		return fmt.Errorf("expected at least one input and one output, got %d and %d", len(inputs), len(outputs))
	}
	batch := 0
	for _, s := range slices.Concat(inputs, outputs) {
		if s == nil {
			return errors.New("expected symbols as inputs and outputs, got nil")
		}
		if s.err != nil {
			return s.err
		}
		if s.from == nil {
			return errors.New("expected symbols that Input or Apply made, got an empty one")
		}
	}
	for _, s := range inputs {
		if in := asInput(s.from.layer.Layer); in != nil {
			batch = max(batch, in.BatchSize)
		}
	}
	calls, err := between(inputs, outputs)
	if err != nil {
		return err
	}
	all := ordered(calls, inputs, m.kind)
	named := all
	for _, s := range inputs { // a Sequential model does not count its input
		named = append(named[:len(named):len(named)], s.from.layer)
	}
	if err := nameLayers(unique(named)); err != nil {
		return err
	}
	var weights []weight
	seen := make(map[*variable]bool)
	for _, l := range all {
		if err := l.fill(m.random, batch); err != nil {
			return err
		}
		for i, v := range l.weights {
			if !seen[v] {
				seen[v] = true
				weights = append(weights, weight{l.name + "/" + l.spec.Weights[i].Name, v})
			}
		}
	}
	m.inputs, m.outputs, m.calls, m.layers, m.weights = inputs, outputs, calls, all, weights
	m.built.Store(true)
	return nil
}

// between returns the calls that lead from inputs to outputs, each after those that it
// needs. What an input is itself made of is not looked at.
func between(inputs, outputs []*Symbol) ([]*call, error) {
	given := make(map[*Symbol]bool)
	for _, s := range inputs {
		given[s] = true
	}
	var calls []*call
	done := make(map[*call]bool)
	var visit func(s *Symbol) error
	visit = func(s *Symbol) error {
		if given[s] || done[s.from] {
			return nil
		}
		c := s.from
		done[c] = true
		if len(c.in) == 0 {
			return fmt.Errorf("expected each input that the outputs need among the inputs of the model, %s is missing", c.layer)
		}
		for _, in := range c.in {
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
func ordered(calls []*call, inputs []*Symbol, kind string) []*Layer {
	if kind == "Sequential" {
		var all []*Layer
		for _, c := range calls {
			all = append(all, c.layer)
		}
		return unique(all)
	}
	depth := make(map[*call]int)
	for i := len(calls) - 1; i >= 0; i-- {
		for _, in := range calls[i].in {
			depth[in.from] = max(depth[in.from], depth[calls[i]]+1)
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
		if asInput(s.from.layer.Layer) != nil { // inputs are as far away as can be
			add(s.from.layer, max(deepest, 1))
		}
	}
	for _, c := range calls {
		add(c.layer, depth[c])
	}
	slices.SortStableFunc(all, func(a, b at) int { return b.depth - a.depth })
	var out []*Layer
	for _, a := range all {
		out = append(out, a.layer)
	}
	return out
}

func unique(all []*Layer) []*Layer {
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
