package dl

import "slices"

// Diagram is a model as boxes and arrows, for who draws it: viz does.
type Diagram struct {
	// Name of the model.
	Name  string
	Nodes []DiagramNode
	// Edges lead from one node to another.
	Edges []DiagramEdge
}

// DiagramNode is a layer.
type DiagramNode struct {
	// Layer is its name, Type its type, OutputShape that of its first output, with
	// the batch: "(None, 64)".
	Layer, Type, OutputShape string
	// Params is the number of its parameters.
	Params int
	// Depth is the greatest number of layers between it and an input.
	Depth int
	// Model is the diagram of a model that is a layer; nil for others.
	Model *Diagram
}

// DiagramEdge is an arrow between nodes, by their places in Nodes.
type DiagramEdge struct {
	From, To int
}

// Diagram returns the model's layers and how they are connected. The model must be
// built.
func (m *Model) Diagram() (_ *Diagram, err error) {
	defer edge(&err)
	lock.Lock()
	defer lock.Unlock()
	if m.inputs == nil {
		return nil, errNotBuilt
	}
	return m.diagram(), nil
}

func (m *Model) diagram() *Diagram {
	d := &Diagram{Name: m.name}
	var order []*Layer
	for _, s := range m.inputs {
		order = append(order, s.from.layer)
	}
	for _, c := range m.calls {
		order = append(order, c.layer)
	}
	order = unique(order)
	depth := make(map[*Layer]int)
	for _, c := range m.calls {
		for _, s := range c.in {
			from, to := slices.Index(order, s.from.layer), slices.Index(order, c.layer)
			d.Edges = append(d.Edges, DiagramEdge{from, to})
			depth[c.layer] = max(depth[c.layer], depth[s.from.layer]+1)
		}
	}
	for _, l := range order {
		n := DiagramNode{
			Layer: l.name, Type: l.Type(), OutputShape: l.spec.All()[0].String(),
			Params: count(variablesOf(l.kept()), nil), Depth: depth[l],
		}
		if inner, ok := l.Layer.(*Model); ok {
			n.Model = inner.diagram()
		}
		d.Nodes = append(d.Nodes, n)
	}
	return d
}
