package format

import (
	"fmt"
	"maps"
	"slices"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/layers"
)

// An architecture is a model as JSON, in the form that Keras gives it, so that one
// reader is enough for the files of both:
//
//	{"class_name": "Functional", "config": {"name": …, "layers": [
//		{"class_name": "Dense", "name": "dense", "config": {…}, "inbound_nodes": [
//			{"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": ["input_layer", 0, 0]}}]}
//		]}, …],
//	"input_layers": [["input_layer", 0, 0]], "output_layers": [["dense", 0, 0]]}}
//
// A history is a layer's name, which of its calls, and which of the call's outputs.
type architecture = config.Object

// describe returns a network's architecture.
func describe(m *network.Network) (architecture, error) {
	return describer{make(map[*network.Layer]*network.Network)}.network(m)
}

// describer knows in which network each layer is. A file can say that a layer is applied twice in
// one, but not that two have it.
type describer struct {
	places map[*network.Layer]*network.Network
}

func (d describer) network(m *network.Network) (architecture, error) {
	if m.Kind == network.Sequential && (m.Inputs == nil || len(network.Unique(m.Stack)) == len(m.Stack)) {
		return d.stack(m)
	}
	var list []any
	all := m.Layers
	if m.Kind == network.Sequential { // with a layer that is applied twice; its input is not in the list
		all = append([]*network.Layer{m.Inputs[0].From.Layer}, all...)
	}
	for _, l := range all {
		o, err := d.layer(m, l)
		if err != nil {
			return architecture{}, err
		}
		var nodes []any
		for _, c := range m.CallsOf(l) {
			nodes = append(nodes, called(m, c))
		}
		o["inbound_nodes"] = nodes
		list = append(list, o)
	}
	histories := func(symbols []*network.Symbol) (all []any) {
		for _, s := range symbols {
			h := history(m, s)
			if inner := s.From.Layer.Nested(); inner != nil && inner.Kind == network.Functional {
				h[1] = h[1].(int) + 1 // Keras counts the calls of such from 1, here only
			}
			all = append(all, h)
		}
		return all
	}
	return architecture{Class: "Functional", Config: map[string]any{
		"name": m.Name, "layers": list, "input_layers": histories(m.Inputs), "output_layers": histories(m.Outputs),
	}}, nil
}

// called is how a layer is called.
func called(m *network.Network, c *network.Call) map[string]any {
	tensor := func(s *network.Symbol) any {
		return map[string]any{
			"class_name": "__keras_tensor__",
			"config":     map[string]any{"shape": withBatch(s.Shape), "dtype": "float32", "keras_history": history(m, s)},
		}
	}
	var args, masks []any
	for _, s := range c.In {
		args = append(args, tensor(s))
	}
	kwargs := map[string]any{}
	for _, s := range c.Masks {
		if s == nil {
			masks = append(masks, nil)
		} else {
			masks = append(masks, tensor(s))
		}
	}
	if masks != nil {
		kwargs["mask"] = masks
	}
	return map[string]any{"args": args, "kwargs": kwargs}
}

func (d describer) stack(m *network.Network) (architecture, error) {
	var list []any
	if m.Inputs != nil {
		in, err := d.layer(m, m.Inputs[0].From.Layer)
		if err != nil {
			return architecture{}, err
		}
		list = append(list, in)
	}
	for _, l := range m.Stack {
		o, err := d.layer(m, l)
		if err != nil {
			return architecture{}, err
		}
		list = append(list, o)
	}
	return architecture{Class: "Sequential", Config: map[string]any{"name": m.Name, "layers": list}}, nil
}

func (d describer) layer(m *network.Network, l *network.Layer) (map[string]any, error) {
	if other := d.places[l]; other != nil && other != m {
		return nil, fmt.Errorf("%s is part of model %q and of model %q: a file cannot say that they share it", l, other.Name, m.Name)
	}
	d.places[l] = m
	out := map[string]any{"name": l.Name, "class_name": l.Type()}
	var fields map[string]any
	switch inner := l.Config.(type) {
	case *network.Network:
		o, err := d.network(inner)
		if err != nil {
			return nil, err
		}
		fields = o.Config
	case layers.Input, *layers.Input:
		in := network.AsInput(l.Config)
		shape := withBatch(in.Shape)
		if in.BatchSize > 0 {
			shape[0] = in.BatchSize
		}
		fields = map[string]any{"batch_shape": shape}
	default:
		o, err := config.Encode(inner)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l, err)
		}
		out["class_name"], fields = o.Class, o.Config
		for _, key := range []string{"dtype", "trainable"} {
			if _, ok := fields[key]; ok {
				return nil, fmt.Errorf("%s: a setting %q cannot be saved, as that is what files call a property of all layers: name the field otherwise", l, key)
			}
		}
	}
	fields = maps.Clone(fields)
	fields["name"] = l.Name
	if name := network.PolicyName(l.DType); name != "" {
		fields["dtype"] = name
	}
	if !l.Trainable {
		fields["trainable"] = false
	}
	out["config"] = fields
	return out, nil
}

func withBatch(shape layers.Shape) []any {
	all := []any{nil}
	for _, d := range shape {
		all = append(all, d)
	}
	return all
}

func history(m *network.Network, s *network.Symbol) []any {
	node := max(slices.Index(m.CallsOf(s.From.Layer), s.From), 0)
	return []any{s.From.Layer.Name, node, slices.Index(s.From.Out, s)}
}
