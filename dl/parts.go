package dl

import "iter"

// Parts are the model's layers by their names: what a notebook's panel of variables shows
// of it. A layer's are its configuration and, once the model is built, its weights.
func (m *Model) Parts() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, l := range m.Layers() {
			if !yield(l.Name(), l) {
				return
			}
		}
	}
}

// Parts are the layer's configuration ("config") and its weights by their names: copies, as
// Weights gives them, none before the layer is built. Of a nested model, its layers.
func (l *Layer) Parts() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		if m, ok := l.Config().(*Model); ok {
			m.Parts()(yield)
			return
		}
		if !yield("config", l.Config()) {
			return
		}
		weights, err := l.Weights()
		if err != nil { // it is not built
			return
		}
		for i, name := range l.WeightNames() {
			if !yield(name, weights[i]) {
				return
			}
		}
	}
}
