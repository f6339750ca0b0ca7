package layers

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(TimeDistributed{}, Bidirectional{})
	config.Reads(readBidirectional)
}

// TimeDistributed applies a layer to each step of a sequence.
//
// Input shape: (None, steps, …). Output shape: (None, steps, what the layer makes
// of the rest).
//
// Source: https://keras.io/api/layers/recurrent_layers/time_distributed/
type TimeDistributed struct {
	Layer Layer
	Name  string
}

// Build implements Layer.
func (l TimeDistributed) Build(in Shape) (Spec, error) {
	if l.Layer == nil {
		return Spec{}, errors.New("expected a Layer, got nil")
	}
	if len(in) < 2 {
		return Spec{}, misfit(in, "expected input of shape (None, steps, …), got %v", in)
	}
	inner, err := l.Layer.Build(in[1:])
	if err != nil {
		return Spec{}, fmt.Errorf("Layer: %w", err)
	}
	if all := inner.All(); len(all) != 1 {
		return Spec{}, fmt.Errorf("expected a Layer of one output, got one of %d", len(all))
	}
	s := Spec{Output: append(Shape{in[0]}, inner.All()[0]...), KeepsMask: true, AnyType: inner.AnyType}
	s.Include("layer", inner)
	return s, nil
}

// Call implements Layer.
func (l TimeDistributed) Call(c *Context, x *tensor.Node) *tensor.Node {
	d := x.Shape().Dimensions
	inner, err := l.Layer.Build(d[2:])
	if err != nil {
		panic(err)
	}
	each := graph.Reshape(x, append([]int{d[0] * d[1]}, d[2:]...)...)
	out, _ := c.Run("layer", l.Layer, inner, []*tensor.Node{each}, nil)
	return graph.Reshape(out[0], append([]int{d[0], d[1]}, inner.All()[0]...)...)
}

// MergeMode says what Bidirectional makes of its two outputs.
type MergeMode int

const (
	// Concat puts them one behind the other along the features.
	Concat MergeMode = iota
	// Sum adds them.
	Sum
	// Mul multiplies them.
	Mul
	// Ave takes their mean.
	Ave
	// Separate keeps two outputs.
	Separate
)

var mergeModes = []string{"concat", "sum", "mul", "ave", "none"}

// String is Keras's word.
func (m MergeMode) String() string {
	if m >= 0 && int(m) < len(mergeModes) {
		return mergeModes[m]
	}
	return fmt.Sprintf("MergeMode(%d)", int(m))
}

// UnmarshalText reads Keras's word.
func (m *MergeMode) UnmarshalText(text []byte) error {
	i := slices.Index(mergeModes, string(text))
	if i < 0 {
		return fmt.Errorf("expected a merge mode of concat, sum, mul or ave, got %q", text)
	}
	*m = MergeMode(i)
	return nil
}

// Recurrent is a layer that Bidirectional can turn round.
type Recurrent interface {
	Multi
	// Reversed is the layer that reads its input from the other end.
	Reversed() Recurrent
	// Sequences says whether there is an output for each step.
	Sequences() bool
	// ZeroForMask is the layer whose output is 0 where a mask leaves a step out.
	ZeroForMask() Recurrent
}

// Bidirectional runs a recurrent layer over a sequence from both ends.
//
// Input shape: (None, steps, features). Output shape: as the layer's, with twice
// the features if they are concatenated.
//
// Source: https://keras.io/api/layers/recurrent_layers/bidirectional/
type Bidirectional struct {
	// Layer reads forwards.
	Layer Recurrent
	// BackwardLayer reads backwards; nil is Layer, turned round, with weights of
	// its own.
	BackwardLayer Recurrent
	// MergeMode is Concat unless set.
	MergeMode MergeMode
	Name      string
}

// readBidirectional reads a configuration of Keras.
func readBidirectional(_ *Bidirectional, c map[string]any) error {
	if mode, ok := c["merge_mode"]; ok && mode == nil {
		c["merge_mode"] = "none"
	}
	return nil
}

// both are the layers that read forwards and backwards. Where they return sequences,
// steps that a mask leaves out are 0 in both, as in Keras.
func (l Bidirectional) both() (forward, backward Recurrent) {
	forward, backward = l.Layer, l.BackwardLayer
	if backward == nil {
		backward = forward.Reversed()
	}
	if forward.Sequences() {
		forward, backward = forward.ZeroForMask(), backward.ZeroForMask()
	}
	return forward, backward
}

// Build implements Layer.
func (l Bidirectional) Build(in Shape) (Spec, error) { return l.BuildAll([]Shape{in}) }

// BuildAll implements Multi.
func (l Bidirectional) BuildAll(in []Shape) (Spec, error) {
	if l.Layer == nil {
		return Spec{}, errors.New("expected a Layer, got nil")
	}
	for _, part := range []Recurrent{l.Layer, l.BackwardLayer} {
		if _, ok := config.As[Recurrent](part); part != nil && !ok {
			return Spec{}, fmt.Errorf("expected layers that are turned round by methods of their own: %T embeds a layer, of which Reversed and ZeroForMask make one without the type's other methods", part)
		}
	}
	f, b, err := l.specs(in)
	if err != nil {
		return Spec{}, err
	}
	fo, bo := f.All(), b.All()
	if len(fo) != len(bo) || !fo[0].Equal(bo[0]) {
		return Spec{}, misfit(bo[0], "expected Layer and BackwardLayer to have outputs of one shape, got %v and %v", fo, bo)
	}
	out := fo[0]
	if l.MergeMode == Concat {
		out = append(slices.Clone(out[:len(out)-1]), 2*out[len(out)-1])
	}
	s := Spec{Outputs: []Shape{out}, KeepsMask: l.Layer.Sequences()}
	if l.MergeMode == Separate {
		s.Outputs = []Shape{out, bo[0]}
	}
	s.Outputs = append(append(s.Outputs, fo[1:]...), bo[1:]...)
	s.Include("forward_layer", f)
	s.Include("backward_layer", b)
	return s, nil
}

// specs builds both layers. Initial states, if there are any, come first for the
// one, then for the other.
func (l Bidirectional) specs(in []Shape) (f, b Spec, err error) {
	half := (len(in) - 1) / 2
	forward, backward := l.both()
	if f, err = forward.BuildAll(in[:1+half]); err != nil {
		return f, b, fmt.Errorf("Layer: %w", err)
	}
	if b, err = backward.BuildAll(append([]Shape{in[0]}, in[1+half:]...)); err != nil {
		return f, b, fmt.Errorf("BackwardLayer: %w", err)
	}
	return f, b, nil
}

// Call implements Layer.
func (l Bidirectional) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.CallAll(c, []*tensor.Node{x})[0]
}

// CallAll implements Multi.
func (l Bidirectional) CallAll(c *Context, in []*tensor.Node) []*tensor.Node {
	var shapes []Shape
	for _, x := range in {
		shapes = append(shapes, x.Shape().Dimensions[1:])
	}
	fs, bs, err := l.specs(shapes)
	if err != nil {
		panic(err)
	}
	half := (len(in) - 1) / 2
	masks := []*tensor.Node{c.Mask()}
	forward, backward := l.both()
	f, _ := c.Run("forward_layer", forward, fs, in[:1+half], masks)
	b, _ := c.Run("backward_layer", backward, bs, append([]*tensor.Node{in[0]}, in[1+half:]...), masks)
	if l.Layer.Sequences() {
		b[0] = ops.Reverse(b[0], 1)
	}
	var out []*tensor.Node
	switch l.MergeMode {
	case Concat:
		out = []*tensor.Node{graph.Concatenate([]*tensor.Node{f[0], b[0]}, -1)}
	case Sum:
		out = []*tensor.Node{graph.Add(f[0], b[0])}
	case Mul:
		out = []*tensor.Node{graph.Mul(f[0], b[0])}
	case Ave:
		out = []*tensor.Node{graph.MulScalar(graph.Add(f[0], b[0]), 0.5)}
	default:
		out = []*tensor.Node{f[0], b[0]}
	}
	return append(append(out, f[1:]...), b[1:]...)
}

// ONNX implements build.Layer.
func (l TimeDistributed) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	inner, ok := config.As[build.Layer](l.Layer)
	if !ok {
		return nil, errNoONNX
	}
	each := g.Op("Reshape", []string{c.In[0], g.Ints(append([]int{-1}, c.Shapes[0][1:]...)...)})
	y, err := inner.ONNX(g, build.Call{In: []string{each}, Shapes: [][]int{c.Shapes[0][1:]}, Out: c.Out[1:], Weights: c.Weights})
	if err != nil {
		return nil, err
	}
	return []string{g.Op("Reshape", []string{y[0], g.Ints(append([]int{-1}, c.Out...)...)})}, nil
}
