package dl

import (
	"github.com/gradbook/gradbook/dl/layers"
)

// Clone makes a model of the same layers with new weights. The model must be built.
//
// Source: https://keras.io/api/models/model_saving_apis/model_saving_and_loading/#clone_model-function
func (m *Model) Clone() (_ *Model, err error) {
	defer edge(&err)
	lock.Lock()
	if m.inputs == nil {
		lock.Unlock()
		return nil, errNotBuilt
	}
	inputs, calls, outputs := m.inputs, m.calls, m.outputs
	lock.Unlock()
	return rebuild(m, inputs, calls, outputs)
}

// rebuild makes a copy of a model with layers of its own.
func rebuild(m *Model, inputs []*Symbol, calls []*call, outputs []*Symbol) (*Model, error) {
	symbols := make(map[*Symbol]*Symbol)
	placed := make(map[*Layer]*Layer)
	copyOf := func(l *Layer) (*Layer, error) {
		if placed[l] == nil {
			inner := l.Layer
			if n, ok := inner.(*Model); ok {
				var err error
				if inner, err = n.Clone(); err != nil {
					return nil, err
				}
			}
			c := NewLayer(inner)
			c.name, c.trainable = l.name, l.trainable
			placed[l] = c
		}
		return placed[l], nil
	}
	var ins []*Symbol
	for _, s := range inputs {
		in := layers.Input{Shape: s.shape}
		if given := asInput(s.from.layer.Layer); given != nil {
			in = *given
		}
		l := NewLayer(in)
		l.name = s.from.layer.name
		out, err := apply(l)
		if err != nil {
			return nil, err
		}
		symbols[s] = out[0]
		ins = append(ins, out[0])
	}
	for _, c := range calls {
		l, err := copyOf(c.layer)
		if err != nil {
			return nil, err
		}
		var args []*Symbol
		for _, in := range c.in {
			args = append(args, symbols[in])
		}
		out, err := apply(l, args...)
		if err != nil {
			return nil, err
		}
		for i, s := range c.out {
			symbols[s] = out[i]
		}
	}
	var outs []*Symbol
	for _, s := range outputs {
		outs = append(outs, symbols[s])
	}
	lock.Lock()
	defer lock.Unlock()
	n := newModel(m.kind)
	n.name, n.named, n.policy = m.name, m.named, m.policy
	for _, l := range m.stack {
		n.stack = append(n.stack, placed[l])
	}
	return n, n.connect(ins, outs)
}
