package layers

import (
	"math/rand/v2"

	"github.com/gradbook/gradbook/dl/initializers"
)

// forgetBias starts the biases of an LSTM, but for those of the gate f, which are 1, so
// that at first nothing is forgotten (Jozefowicz et al., 2015).
type forgetBias struct {
	rest initializers.Initializer
}

// Init implements initializers.Initializer.
func (f forgetBias) Init(shape []int, rng *rand.Rand) []float32 {
	values := f.rest.Init(shape, rng)
	units := len(values) / 4
	for i := units; i < 2*units; i++ {
		values[i] = 1
	}
	return values
}
