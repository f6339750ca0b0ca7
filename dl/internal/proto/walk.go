package proto

// Tensors calls a function for each tensor of a model: of its graph, those in attributes, and
// its functions.
func (p *Model) Tensors(do func(t *Tensor) error) error {
	if err := p.Graph.tensors(do); err != nil {
		return err
	}
	for i := range p.Functions {
		f := &p.Functions[i]
		if err := attributeTensors(f.Defaults, do); err != nil {
			return err
		}
		if err := nodeTensors(f.Nodes, do); err != nil {
			return err
		}
	}
	return nil
}

func (p *Graph) tensors(do func(t *Tensor) error) error {
	for i := range p.Initializers {
		if err := do(&p.Initializers[i]); err != nil {
			return err
		}
	}
	return nodeTensors(p.Nodes, do)
}

func nodeTensors(nodes []Node, do func(t *Tensor) error) error {
	for i := range nodes {
		if err := attributeTensors(nodes[i].Attributes, do); err != nil {
			return err
		}
	}
	return nil
}

func attributeTensors(all map[string]Attribute, do func(t *Tensor) error) error {
	for _, a := range all {
		if a.T != nil {
			if err := do(a.T); err != nil {
				return err
			}
		}
		if a.G != nil {
			if err := a.G.tensors(do); err != nil {
				return err
			}
		}
	}
	return nil
}
