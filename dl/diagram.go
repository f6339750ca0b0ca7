package dl

import (
	"slices"

	"github.com/gradbook/gradbook/dl/internal/network"
)

// Diagram is a model as boxes and arrows, for whoever draws it: viz does.
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
func (m *Model) Diagram() (*Diagram, error) {
	m.m.Lock.Lock()
	defer m.m.Lock.Unlock()
	if m.m.Inputs == nil {
		return nil, m.notBuilt()
	}
	return diagram(m.m.Network), nil
}

func diagram(m *network.Network) *Diagram {
	d := &Diagram{Name: m.Name}
	var order []*network.Layer
	for _, s := range m.Inputs {
		order = append(order, s.From.Layer)
	}
	for _, c := range m.Calls {
		order = append(order, c.Layer)
	}
	order = network.Unique(order)
	depth := make(map[*network.Layer]int)
	for _, c := range m.Calls {
		for _, s := range c.In {
			from, to := slices.Index(order, s.From.Layer), slices.Index(order, c.Layer)
			d.Edges = append(d.Edges, DiagramEdge{from, to})
			depth[c.Layer] = max(depth[c.Layer], depth[s.From.Layer]+1)
		}
	}
	for _, l := range order {
		n := DiagramNode{
			Layer: l.Name, Type: l.Type(), OutputShape: l.Spec.All()[0].String(),
			Params: count(network.VariablesOf(l.Kept()), nil), Depth: depth[l],
		}
		if inner := l.Nested(); inner != nil {
			n.Model = diagram(inner)
		}
		d.Nodes = append(d.Nodes, n)
	}
	return d
}
