package dl

import (
	"fmt"
	"maps"
	"slices"

	"github.com/gradbook/gradbook/dl/internal/config"
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

// describe returns the model's architecture.
func (m *Model) describe() (architecture, error) {
	if m.kind == "Sequential" {
		return m.describeStack()
	}
	var list []any
	for _, l := range m.layers {
		o, err := describeLayer(l)
		if err != nil {
			return architecture{}, err
		}
		var nodes []any
		for _, c := range m.callsOf(l) {
			var args []any
			for _, s := range c.in {
				args = append(args, map[string]any{
					"class_name": "__keras_tensor__",
					"config":     map[string]any{"shape": withBatch(s.shape), "dtype": "float32", "keras_history": m.history(s)},
				})
			}
			nodes = append(nodes, map[string]any{"args": args, "kwargs": map[string]any{}})
		}
		o["inbound_nodes"] = nodes
		list = append(list, o)
	}
	histories := func(symbols []*Symbol) (all []any) {
		for _, s := range symbols {
			h := m.history(s)
			if inner, ok := s.from.layer.Layer.(*Model); ok && inner.kind == "Functional" {
				h[1] = h[1].(int) + 1 // Keras counts the calls of such from 1, here only
			}
			all = append(all, h)
		}
		return all
	}
	return architecture{Class: "Functional", Config: map[string]any{
		"name": m.name, "layers": list, "input_layers": histories(m.inputs), "output_layers": histories(m.outputs),
	}}, nil
}

func (m *Model) describeStack() (architecture, error) {
	var list []any
	if m.inputs != nil {
		in, err := describeLayer(m.inputs[0].from.layer)
		if err != nil {
			return architecture{}, err
		}
		list = append(list, in)
	}
	for _, l := range m.stack {
		o, err := describeLayer(l)
		if err != nil {
			return architecture{}, err
		}
		list = append(list, o)
	}
	return architecture{Class: "Sequential", Config: map[string]any{"name": m.name, "layers": list}}, nil
}

func describeLayer(l *Layer) (map[string]any, error) {
	out := map[string]any{"name": l.name, "class_name": l.Type()}
	var fields map[string]any
	switch inner := l.Layer.(type) {
	case *Model:
		o, err := inner.describe()
		if err != nil {
			return nil, err
		}
		fields = o.Config
	case layers.Input, *layers.Input:
		in := asInput(l.Layer)
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
	}
	fields = maps.Clone(fields)
	fields["name"] = l.name
	if !l.trainable {
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

// callsOf are the calls of a layer in this model.
func (m *Model) callsOf(l *Layer) (own []*call) {
	for _, c := range m.calls {
		if c.layer == l {
			own = append(own, c)
		}
	}
	return own
}

func (m *Model) history(s *Symbol) []any {
	node := max(slices.Index(m.callsOf(s.from.layer), s.from), 0)
	return []any{s.from.layer.name, node, slices.Index(s.from.out, s)}
}
