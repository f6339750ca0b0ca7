package layers

import "github.com/gradbook/gradbook/dl/internal/config"

// What a layer says of itself beside Build and Call. dl asks for these interfaces, and never
// for a type or a name, so that a layer of one's own can say the same; for the form in ONNX
// see build.Layer of package dl/onnx/build.

// KerasPather is a layer whose weights Keras keeps in parts of the layer.
type KerasPather interface {
	Layer
	// KerasPath is the part of a weight's path in a .keras file between that of the layer
	// and "/vars": "/cell"; "" is the layer itself. Weights of one path are counted in the
	// order of Spec, unless the path says where the weight is: "/cell/vars/1". The weight goes
	// by its name in Spec.
	KerasPath(weight string) string
}

// KerasCaller is a layer of which Keras gives some settings when it is called.
type KerasCaller interface {
	Layer
	// WithKerasArgument returns the layer with the setting that an argument of Keras's
	// call stands for; ok is false if it knows no such argument.
	WithKerasArgument(name string, value any) (l Layer, ok bool)
}

// KerasNamer is a layer that one type stands for several of Keras's classes of.
type KerasNamer interface {
	Layer
	// KerasName is the class, by which summaries and errors speak of the layer, and the name
	// that a model derives for it: "Add" and "add".
	KerasName() (class, name string)
}

// ClassReader is a layer whose inputs are class numbers, such as an Embedding.
type ClassReader interface {
	Layer
	// Classes returns n for inputs from 0 to n − 1, which must be whole numbers.
	Classes() int
}

func init() {
	config.Tells[Multi]("CallAll", "Call")
	config.Tells[Multi]("BuildAll", "Build")
	for _, said := range []string{"Reversed", "ZeroForMask"} {
		config.Tells[Recurrent](said, "Call", "CallAll", "Build", "BuildAll")
	}
}
