package dl

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/internal/config"
)

// Register makes types of your own known by their names, so that models with them can be
// saved and loaded: layers, activations, losses, metrics, optimizers, schedules,
// initializers, regularizers and constraints. The exported fields of a type are what is
// saved; it may be given by value or by pointer. What activations.Func, losses.Func and
// metrics.Func return is registered as the very value that models use.
//
//	dl.Register(Scale{}, swishLike)
//
// A name is known once: the last registered is what Load makes, and Save refuses others of
// that name. Register panics for a name that dl uses itself, or a type without a name, as
// both are mistakes in the program; RegisterAs gives a type another name.
func Register(values ...any) {
	for _, v := range values {
		RegisterAs("", v)
	}
}

// RegisterAs is Register for a type under a name of its own, which is what Keras's files
// call it: "my_package>Scale".
func RegisterAs(name string, value any) {
	if err := config.RegisterUser(name, value); err != nil {
		panic(fmt.Errorf("dl: %w", err))
	}
}

func init() {
	config.Unwritable(Layer{}, "as a setting of another layer, give the configuration itself: layers.TimeDistributed{Layer: layers.Dense{…}}")
	config.Unwritable(Model{}, "as a setting of another layer, a model has no form in a file; SaveWeights keeps its weights")
}
