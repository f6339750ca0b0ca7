package dl

import (
	"github.com/gradbook/gradbook/dl/layers"
)

// A model as a layer of another. Its weights stay its own, however many models it is part of.

var _ layers.Multi = (*Model)(nil)

// Build implements layers.Layer, so that a model may be a layer of another. To
// build a model for itself, see BuildFor.
func (m *Model) Build(in layers.Shape) (layers.Spec, error) { return m.m.Build(in) }

// BuildAll implements layers.Multi.
func (m *Model) BuildAll(in []layers.Shape) (layers.Spec, error) { return m.m.BuildAll(in) }

// Call implements layers.Layer.
func (m *Model) Call(c *layers.Context, x *Node) *Node { return m.m.Call(c, x) }

// CallAll implements layers.Multi.
func (m *Model) CallAll(c *layers.Context, in []*Node) []*Node { return m.m.CallAll(c, in) }
