package dl

import (
	"fmt"
	"maps"
	"slices"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/layers"
)

// construct makes a model of an architecture.
func construct(a architecture) (*Model, error) {
	switch a.Class {
	case "Sequential":
		return constructStack(a.Config)
	case "Functional", "Model":
		return constructGraph(a.Config)
	}
	return nil, fmt.Errorf("expected a model of class Sequential or Functional, got %q", a.Class)
}

func constructStack(c map[string]any) (*Model, error) {
	m := newModel("Sequential")
	m.setName(c)
	var input *layers.Input
	all := list(c["layers"])
	for i, raw := range all {
		l, err := constructLayer(raw)
		if err != nil {
			return nil, err
		}
		if in := asInput(l.Layer); in != nil && i == 0 {
			input = in
			continue
		}
		m.stack = append(m.stack, l)
	}
	if len(m.stack) == 0 {
		return nil, fmt.Errorf("expected at least one layer in model %q, got none", m.name)
	}
	if input == nil {
		if shape, err := shapeOf(c["build_input_shape"]); err == nil && len(shape) > 0 {
			input = &layers.Input{Shape: shape}
		}
	}
	if input == nil {
		return m, nameLayers(unique(m.stack))
	}
	return m, m.buildStack(*input)
}

func (m *Model) setName(c map[string]any) {
	if name, ok := c["name"].(string); ok && name != "" {
		m.name, m.named = name, name != kindNames[m.kind]
	}
}

// constructLayer makes the layer that an object describes.
func constructLayer(raw any) (*Layer, error) {
	o, ok := raw.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("expected a layer as an object, got %v", raw)
	}
	class, _ := o["class_name"].(string)
	fields, _ := o["config"].(map[string]any)
	name, _ := fields["name"].(string)
	if n, ok := o["name"].(string); ok {
		name = n
	}
	fail := func(err error) error { return fmt.Errorf("layer %q (%s): %w", name, class, err) }
	var inner layers.Layer
	var err error
	switch class {
	case "InputLayer":
		inner, err = constructInput(fields)
	case "Sequential", "Functional", "Model":
		inner, err = construct(architecture{Class: class, Config: fields})
	default:
		inner, err = config.Decode[layers.Layer](config.Object{Class: class, Config: fields})
	}
	if err != nil {
		return nil, fail(err)
	}
	l := NewLayer(inner)
	l.name = name
	if t, ok := fields["trainable"].(bool); ok && !t {
		l.trainable = false
	}
	return l, nil
}

func constructInput(fields map[string]any) (layers.Layer, error) {
	raw := fields["batch_shape"]
	if raw == nil {
		raw = fields["batch_input_shape"] // of older files
	}
	shape, err := shapeOf(raw)
	if err != nil {
		return nil, err
	}
	in := layers.Input{Shape: shape}
	if b, ok := list(raw)[0].(float64); ok {
		in.BatchSize = int(b)
	}
	return in, nil
}

// shapeOf reads a shape with its batch.
func shapeOf(raw any) (layers.Shape, error) {
	all := list(raw)
	if len(all) == 0 {
		return nil, fmt.Errorf("expected a shape, got %v", raw)
	}
	shape := layers.Shape{}
	for _, d := range all[1:] {
		n, ok := d.(float64)
		if !ok {
			return nil, fmt.Errorf("expected a shape of known axes but for the batch, got %v: axes of any length are not supported", raw)
		}
		shape = append(shape, int(n))
	}
	return shape, nil
}

func list(raw any) []any {
	all, _ := raw.([]any)
	return all
}

// node is a call that waits for its inputs.
type node struct {
	layer *Layer
	raw   map[string]any
	index int
}

func constructGraph(c map[string]any) (*Model, error) {
	m := newModel("Functional")
	m.setName(c)
	symbols := make(map[string][]*Symbol) // by layer and call
	key := func(name string, node int) string { return fmt.Sprintf("%s\x00%d", name, node) }
	nested := make(map[any]bool) // Functional models, whose calls ends count from 1
	var waiting []node
	for _, raw := range list(c["layers"]) {
		l, err := constructLayer(raw)
		if err != nil {
			return nil, err
		}
		m.listed = append(m.listed, l)
		nodes := list(raw.(map[string]any)["inbound_nodes"])
		if inner, ok := l.Layer.(*Model); ok && inner.kind == "Functional" {
			nested[l.name] = true
		}
		if asInput(l.Layer) != nil {
			out, err := apply(l)
			if err != nil {
				return nil, err
			}
			symbols[key(l.name, 0)] = out
			continue
		}
		for i, n := range nodes {
			object, ok := n.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("%s: expected inbound_nodes of Keras 3, got %v", l, n)
			}
			waiting = append(waiting, node{l, object, i})
		}
	}
	find := func(h []any) *Symbol {
		if len(h) != 3 {
			return nil
		}
		name, _ := h[0].(string)
		call, _ := h[1].(float64)
		output, _ := h[2].(float64)
		all := symbols[key(name, int(call))]
		if int(output) >= len(all) || output < 0 {
			return nil
		}
		return all[int(output)]
	}
	for len(waiting) > 0 {
		var left []node
		for _, n := range waiting {
			in, ready, err := argumentsOf(n, find)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", n.layer, err)
			}
			if !ready {
				left = append(left, n)
				continue
			}
			out, err := apply(n.layer, in...)
			if err != nil {
				return nil, err
			}
			symbols[key(n.layer.name, n.index)] = out
		}
		if len(left) == len(waiting) {
			return nil, fmt.Errorf("%s: expected layers that follow each other, got one whose inputs no layer makes", left[0].layer)
		}
		waiting = left
	}
	ends := func(what string) (all []*Symbol, err error) {
		for _, h := range historiesOf(c[what]) {
			if node, ok := h[1].(float64); ok && nested[h[0]] {
				h = []any{h[0], node - 1, h[2]}
			}
			s := find(h)
			if s == nil {
				return nil, fmt.Errorf("model %q: expected %s that layers make, got %v", m.name, what, h)
			}
			all = append(all, s)
		}
		return all, nil
	}
	inputs, err := ends("input_layers")
	if err != nil {
		return nil, err
	}
	outputs, err := ends("output_layers")
	if err != nil {
		return nil, err
	}
	lock.Lock()
	defer lock.Unlock()
	return m, m.connect(inputs, outputs)
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
func argumentsOf(n node, find func(history []any) *Symbol) (in []*Symbol, ready bool, err error) {
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
		c, ok := n.layer.Layer.(layers.KerasCaller)
		if ok {
			changed, ok = c.WithKerasArgument(name, v)
		}
		if !ok {
			return nil, false, fmt.Errorf("the argument %s = %v of a call is not supported", name, v)
		}
		n.layer.Layer = changed
	}
	return in, ready, nil
}
