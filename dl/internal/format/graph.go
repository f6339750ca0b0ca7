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
		return w.apply(node{layer: l}, arguments{})
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

func (w *wiring) apply(n node, a arguments) error {
	if len(a.masks) > 0 {
		a.masks = append(a.masks, make([]*network.Symbol, len(a.in)-len(a.masks))...)
	}
	out, err := network.ApplyMasked(n.layer, a.in, a.masks)
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
			a, err := argumentsOf(n, w.find)
			if err != nil {
				return fmt.Errorf("%s: %w", n.layer, err)
			}
			if !a.ready {
				left = append(left, n)
				continue
			}
			if err := w.apply(n, a); err != nil {
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

// arguments are what a call is given.
type arguments struct {
	find  func(history []any) *network.Symbol
	ready bool // false while some of the symbols are not there yet
	in    []*network.Symbol
	masks []*network.Symbol
}

// inputArguments are the names by which Keras's layers are given their inputs.
var inputArguments = []string{"query", "value", "key", "inputs", "sequence", "sequences", "initial_state", "attention_mask"}

// maskArguments are the names by which they are given masks, and the input that each is of.
var maskArguments = map[string]int{"query_mask": 0, "value_mask": 1, "key_mask": 2}

// argumentsOf reads a node's arguments.
func argumentsOf(n node, find func(history []any) *network.Symbol) (arguments, error) {
	a := arguments{find: find, ready: true}
	a.inputs(n.raw["args"])
	kwargs, _ := n.raw["kwargs"].(map[string]any)
	left := maps.Clone(kwargs)
	for _, name := range inputArguments {
		if name == "attention_mask" && kwargs[name] != nil {
			continue // a setting, too: the input comes last
		}
		a.inputs(kwargs[name])
		delete(left, name)
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		v := left[name]
		if v == nil || v == false || name == "training" {
			continue
		}
		if at, ok := maskArguments[name]; ok {
			a.mask(at, v)
			continue
		}
		if name == "mask" {
			all, several := v.([]any)
			if !several {
				all = []any{v}
			}
			for i, m := range all {
				a.mask(i, m)
			}
			continue
		}
		var changed layers.Layer
		c, ok := n.layer.Config.(layers.KerasCaller)
		if ok {
			changed, ok = c.WithKerasArgument(name, v)
		}
		if !ok {
			return a, fmt.Errorf("the argument %s = %v of a call is not supported", name, v)
		}
		n.layer.Config = changed
		if name == "attention_mask" {
			a.inputs(v)
		}
	}
	if len(a.masks) > len(a.in) {
		return a, fmt.Errorf("expected masks of %d inputs, got %d", len(a.in), len(a.masks))
	}
	return a, nil
}

// symbol is the symbol that a value of a file stands for, if it is one.
func (a *arguments) symbol(raw any) (s *network.Symbol, ok bool) {
	v, _ := raw.(map[string]any)
	if v["class_name"] != "__keras_tensor__" {
		return nil, false
	}
	c, _ := v["config"].(map[string]any)
	if s = a.find(list(c["keras_history"])); s == nil {
		a.ready = false
	}
	return s, true
}

func (a *arguments) inputs(raw any) {
	if s, ok := a.symbol(raw); ok {
		a.in = append(a.in, s)
		return
	}
	switch v := raw.(type) {
	case []any:
		for _, r := range v {
			a.inputs(r)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			a.inputs(v[k])
		}
	}
}

func (a *arguments) mask(at int, raw any) {
	s, ok := a.symbol(raw)
	if !ok {
		return
	}
	for len(a.masks) <= at {
		a.masks = append(a.masks, nil)
	}
	a.masks[at] = s
}
