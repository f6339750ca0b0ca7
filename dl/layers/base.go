package layers

// Base is for layers of one's own to embed: its Build is that of a layer without weights
// whose output has the shape of its input. As in Keras, such a layer does not say what a mask
// means for it; a Build of one's own that does sets Spec.KeepsMask.
type Base struct{}

// Build implements Layer.
func (Base) Build(in Shape) (Spec, error) { return Spec{Output: in}, nil }
