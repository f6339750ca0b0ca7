package format

import (
	"fmt"
	"maps"
	"slices"

	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/layers"
)

// node is a call that waits for its inputs.
type node struct {
	layer *network.Layer
	raw   map[string]any
	index int
}

// place is where a symbol comes from, in a file: a layer, which of its calls, and which of the
// call's outputs.
type place struct {
	layer        string
	call, output int
}

func placeOf(history []any) (p place, ok bool) {
	if len(history) != 3 {
		return p, false
	}
	var call, output float64
	var named, called, put bool
	p.layer, named = history[0].(string)
	call, called = history[1].(float64)
	output, put = history[2].(float64)
	p.call, p.output = int(call), int(output)
	return p, named && called && put
}

// wiring is a Functional network that is put together.
type wiring struct {
	network *network.Network
	symbols map[place]*network.Symbol
	nested  map[string]bool // Functional networks, whose calls ends count from 1
	waiting []node
}

func (create Create) graph(c map[string]any) (*network.Network, error) {
	w := wiring{network: create(network.Functional), symbols: make(map[place]*network.Symbol), nested: make(map[string]bool)}
	setName(w.network, c)
	for _, raw := range list(c["layers"]) {
		l, err := create.layer(raw)
		if err != nil {
			return nil, err
		}
		if err := w.place(l, list(raw.(map[string]any)["inbound_nodes"])); err != nil {
			return nil, err
		}
	}
	if err := w.wire(); err != nil {
		return nil, err
	}
	inputs, err := w.ends("input_layers", c)
	if err != nil {
		return nil, err
	}
	outputs, err := w.ends("output_layers", c)
	if err != nil {
		return nil, err
	}
	return w.network, w.network.Connect(inputs, outputs)
}

// place takes up a layer, and how it is called.
func (w *wiring) place(l *network.Layer, nodes []any) error {
	settle(w.network, l)
	w.network.Listed = append(w.network.Listed, l)
	if inner := l.Nested(); inner != nil && inner.Kind == network.Functional {
		w.nested[l.Name] = true
	}
	if network.AsInput(l.Config) != nil {
		return w.apply(node{layer: l})
	}
	for i, n := range nodes {
		object, ok := n.(map[string]any)
		if !ok {
			return fmt.Errorf("%s: expected inbound_nodes of Keras 3, got %v", l, n)
		}
		w.waiting = append(w.waiting, node{l, object, i})
	}
	return nil
}

func (w *wiring) apply(n node, in ...*network.Symbol) error {
	out, err := network.Apply(n.layer, in...)
	if err != nil {
		return err
	}
	for i, s := range out {
		w.symbols[place{n.layer.Name, n.index, i}] = s
	}
	return nil
}

// wire applies layers, each as soon as its inputs are there.
func (w *wiring) wire() error {
	for len(w.waiting) > 0 {
		var left []node
		for _, n := range w.waiting {
			in, ready, err := argumentsOf(n, w.find)
			if err != nil {
				return fmt.Errorf("%s: %w", n.layer, err)
			}
			if !ready {
				left = append(left, n)
				continue
			}
			if err := w.apply(n, in...); err != nil {
				return err
			}
		}
		if len(left) == len(w.waiting) {
			return fmt.Errorf("%s: expected layers that follow each other, got one whose inputs no layer makes", left[0].layer)
		}
		w.waiting = left
	}
	return nil
}

// find returns the symbol of a history; nil if there is none.
func (w *wiring) find(history []any) *network.Symbol {
	p, ok := placeOf(history)
	if !ok {
		return nil
	}
	return w.symbols[p]
}

// ends are the inputs or the outputs.
func (w *wiring) ends(what string, c map[string]any) (all []*network.Symbol, err error) {
	for _, h := range historiesOf(c[what]) {
		p, ok := placeOf(h)
		if ok && w.nested[p.layer] {
			p.call--
		}
		s := w.symbols[p]
		if !ok || s == nil {
			return nil, fmt.Errorf("model %q: expected %s that layers make, got %v", w.network.Name, what, h)
		}
		all = append(all, s)
	}
	return all, nil
}

// historiesOf reads a history, or a list or an object of such.
func historiesOf(raw any) (all [][]any) {
	switch v := raw.(type) {
	case []any:
		if len(v) == 3 {
			if _, ok := v[0].(string); ok {
				return [][]any{v}
			}
		}
		for _, r := range v {
			all = append(all, historiesOf(r)...)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			all = append(all, historiesOf(v[k])...)
		}
	}
	return all
}

// argumentsOf returns the symbols that a call is given; ready is false while some are
// not there yet.
func argumentsOf(n node, find func(history []any) *network.Symbol) (in []*network.Symbol, ready bool, err error) {
	ready = true
	var visit func(raw any)
	visit = func(raw any) {
		switch v := raw.(type) {
		case []any:
			for _, r := range v {
				visit(r)
			}
		case map[string]any:
			if v["class_name"] != "__keras_tensor__" {
				for _, k := range slices.Sorted(maps.Keys(v)) {
					visit(v[k])
				}
				return
			}
			c, _ := v["config"].(map[string]any)
			s := find(list(c["keras_history"]))
			if s == nil {
				ready = false
			}
			in = append(in, s)
		}
	}
	visit(n.raw["args"])
	kwargs, _ := n.raw["kwargs"].(map[string]any)
	for _, name := range []string{"query", "value", "key", "inputs", "sequence", "sequences", "initial_state"} {
		visit(kwargs[name])
		delete(kwargs, name)
	}
	for name, v := range kwargs {
		if v == nil || v == false || name == "training" || name == "mask" {
			continue
		}
		var changed layers.Layer
		c, ok := n.layer.Config.(layers.KerasCaller)
		if ok {
			changed, ok = c.WithKerasArgument(name, v)
		}
		if !ok {
			return nil, false, fmt.Errorf("the argument %s = %v of a call is not supported", name, v)
		}
		n.layer.Config = changed
	}
	return in, ready, nil
}
