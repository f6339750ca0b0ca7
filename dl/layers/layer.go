// Package layers holds the steps that models are made of.
//
// A layer is a plain value: its fields are Keras's arguments, and their zero
// values Keras's defaults. It holds no weights; those belong to the model that
// is built from it, so one value may be used in many models.
//
//	layers.Conv2D{Filters: 32, KernelSize: [2]int{3, 3}, Activation: activations.ReLU}
//
// Shapes leave out the batch, which is every tensor's first axis. Images are
// [height, width, channels].
//
// A layer of one's own has two methods. Build says what it makes of a shape
// and which weights it needs, Call adds it to a graph:
//
//	type Scale struct{}
//
//	func (Scale) Build(in layers.Shape) (layers.Spec, error) {
//		gain := layers.Weight{Name: "gain", Shape: in, Initializer: initializers.Ones{}}
//		return layers.Spec{Output: in, Weights: []layers.Weight{gain}}, nil
//	}
//
//	func (Scale) Call(c *layers.Context, x *tensor.Node) *tensor.Node {
//		return graph.Mul(x, graph.ExpandLeftToRank(c.Weight("gain"), x.Rank()))
//	}
//
// One that has no weights and leaves the shape as it is embeds Base, and has Call alone.
//
// Source: https://keras.io/api/layers/
package layers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/fault"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Layer is a step of a model.
//
// A field Name of type string, if the layer has one, names it in the model;
// otherwise the model derives a name from the type, as Keras does.
type Layer interface {
	// Build checks the layer's settings against the shape of its input. It is
	// called once, before anything is computed, and reports every mistake that
	// can be seen by then.
	Build(in Shape) (Spec, error)
	// Call adds the layer to a graph. x is [batch, in…]; the result must be
	// [batch, out…] as Build said. It may panic, as graph's functions do.
	Call(c *Context, x *tensor.Node) *tensor.Node
}

// Multi is a Layer of several inputs or outputs. A model calls these methods in
// place of Build and Call.
type Multi interface {
	Layer
	BuildAll(in []Shape) (Spec, error)
	CallAll(c *Context, in []*tensor.Node) []*tensor.Node
}

// Spec is what a layer makes of an input shape.
type Spec struct {
	Output Shape
	// Outputs are the shapes of a layer of several outputs; Output is then
	// not read.
	Outputs []Shape
	Weights []Weight
	// KeepsMask says that the mask of the input is that of the output: the
	// layer treats each time step for itself.
	KeepsMask bool
	// AnyType leaves the input as it is where others get it in the type that
	// the model computes in: for class numbers and the like, which half
	// precision would round.
	AnyType bool
}

// All are the shapes of all outputs.
func (s Spec) All() []Shape {
	if s.Outputs != nil {
		return s.Outputs
	}
	return []Shape{s.Output}
}

// Include adds the weights of a layer inside this one, under names that begin
// with that of the part: "query/kernel". Call reaches them by Context.Part.
func (s *Spec) Include(part string, inner Spec) {
	for _, w := range inner.Weights {
		w.Name = part + "/" + w.Name
		s.Weights = append(s.Weights, w)
	}
}

// Weight describes one of a layer's weights.
type Weight struct {
	// Name is unique in the layer: "kernel", "bias".
	Name  string
	Shape Shape
	// Initializer gives the first values.
	Initializer initializers.Initializer
	// Regularizer adds to the loss; nil adds nothing.
	Regularizer regularizers.Regularizer
	// Constraint is applied after each step; nil is none.
	Constraint constraints.Constraint
	// NonTrainable weights are left alone by the optimizer.
	NonTrainable bool
	// State is no weight, but what a stateful layer carries from batch to
	// batch: one value of Shape for each example, zero at first. It is neither
	// saved nor counted.
	State bool
	// Run says, if it is not 0, that the weight is whole numbers from −128 to 127, kept as int8:
	// [runs…, filters], of which a run is so many numbers of each filter. Call gets them as
	// the kernels of quantized layers want them, which is not of that shape.
	Run int
	// Tied weights that are equal, and not nil, are one weight. Models use it
	// to be layers of other models.
	Tied any
}

// Shape is the shape of one example.
type Shape []int

// Size is the number of values.
func (s Shape) Size() int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// checked reports the first of several errors.
func checked(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// String is Keras's notation, with the batch: (None, 28, 28, 1).
func (s Shape) String() string {
	parts := []string{"None"}
	for _, d := range s {
		parts = append(parts, fmt.Sprint(d))
	}
	if len(parts) == 1 {
		return "(None,)"
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// Equal says whether two shapes are the same.
func (s Shape) Equal(t Shape) bool { return slices.Equal(s, t) }

// wantRank reports an input that does not have the axes that a layer needs.
func wantRank(in Shape, axes ...string) error {
	if len(in) == len(axes) {
		return nil
	}
	return misfit(in, "expected input of shape (None, %s), got %v", strings.Join(axes, ", "), in)
}

// misfit is the error of an input whose shape a layer cannot take.
func misfit(in Shape, format string, args ...any) error {
	return &fault.ShapeError{Got: in, Text: fmt.Sprintf(format, args...)}
}

// wantPositive reports a setting that must be at least 1.
func wantPositive(field string, values ...int) error {
	for _, v := range values {
		if v < 1 {
			if len(values) == 1 {
				return fmt.Errorf("expected %s of at least 1, got %d", field, v)
			}
			return fmt.Errorf("expected %s of at least 1 along each axis, got %v", field, values)
		}
	}
	return nil
}

func orInitializer(i, def initializers.Initializer) initializers.Initializer {
	if i == nil {
		return def
	}
	return i
}

// activateAs activates a result that has other dimensions than the layer's, unless dims is empty, in the type that the
// model computes in. ReLU comes first: a kernel does it, whatever the dimensions.
func activateAs(c *Context, a activations.Activation, y *tensor.Node, dims ...int) *tensor.Node {
	if a == activations.ReLU {
		y, a = activate(c, a, y), nil
	}
	if len(dims) > 0 {
		y = graph.Reshape(y, dims...)
	}
	if c.DType != dtypes.InvalidDType {
		y = graph.ConvertDType(y, c.DType)
	}
	return activate(c, a, y)
}

func activate(c *Context, a activations.Activation, x *tensor.Node) *tensor.Node {
	if a == nil {
		return x
	}
	after := ops.Nothing
	switch a {
	case activations.ReLU:
		after = ops.ReLU
	case activations.ReLU6:
		after = ops.ReLU6
	}
	if after != ops.Nothing && !c.pass.Shared(x) {
		if y := ops.Then(x, after); y != nil {
			return y
		}
	}
	return c.Activate(a, x)
}
