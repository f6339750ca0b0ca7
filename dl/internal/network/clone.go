package network

import "github.com/gradbook/gradbook/dl/layers"

// Clone makes a network of the same layers with new weights, as create makes it empty. It must
// be built; nothing is locked when it is called.
func (n *Network) Clone(create func(kind Kind) *Network) (*Network, error) {
	clone, _, err := n.CloneWith(create, func(*Layer) layers.Layer { return nil })
	return clone, err
}

// CloneWith is Clone with other layers in place of some: those that replace returns, if it is not nil. It also
// returns which layer stands for which.
func (n *Network) CloneWith(create func(kind Kind) *Network, replace func(*Layer) layers.Layer) (*Network, map[*Layer]*Layer, error) {
	c := cloner{create, replace, make(map[*Layer]*Layer)}
	clone, err := c.network(n)
	return clone, c.copies, err
}

// cloner knows the copies of layers, of which there is one wherever the layer is.
type cloner struct {
	create  func(kind Kind) *Network
	replace func(*Layer) layers.Layer
	copies  map[*Layer]*Layer
}

func (c cloner) layer(l *Layer) (*Layer, error) {
	if c.copies[l] != nil {
		return c.copies[l], nil
	}
	inner := l.Config
	if nested := l.Nested(); nested != nil {
		var err error
		if inner, err = c.network(nested); err != nil {
			return nil, err
		}
	} else if other := c.replace(l); other != nil {
		inner = other
	}
	made := NewLayer(inner)
	made.Name, made.Trainable, made.DType = l.Name, l.Trainable, l.DType
	c.copies[l] = made
	return made, nil
}

func (c cloner) network(n *Network) (*Network, error) {
	n.Lock.Lock()
	inputs, calls, outputs := n.Inputs, n.Calls, n.Outputs
	n.Lock.Unlock()
	symbols := make(map[*Symbol]*Symbol)
	var ins []*Symbol
	for _, s := range inputs {
		in, err := cloneInput(s)
		if err != nil {
			return nil, err
		}
		symbols[s] = in
		ins = append(ins, in)
	}
	for _, call := range calls {
		l, err := c.layer(call.Layer)
		if err != nil {
			return nil, err
		}
		var args []*Symbol
		for _, in := range call.In {
			args = append(args, symbols[in])
		}
		var masks []*Symbol
		for _, m := range call.Masks {
			masks = append(masks, symbols[m]) // nil for nil
		}
		out, err := ApplyMasked(l, args, masks)
		if err != nil {
			return nil, err
		}
		for i, s := range call.Out {
			symbols[s] = out[i]
		}
	}
	var outs []*Symbol
	for _, s := range outputs {
		outs = append(outs, symbols[s])
	}
	clone := c.create(n.Kind)
	clone.Name, clone.Named, clone.Policy = n.Name, n.Named, n.Policy
	for _, l := range n.Stack {
		clone.Stack = append(clone.Stack, c.copies[l])
	}
	return clone, clone.Connect(ins, outs)
}

func cloneInput(s *Symbol) (*Symbol, error) {
	in := layers.Input{Shape: s.Shape}
	if given := AsInput(s.From.Layer.Config); given != nil {
		in = *given
	}
	l := NewLayer(in)
	l.Name = s.From.Layer.Name
	out, err := Apply(l)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}
