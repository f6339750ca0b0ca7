package dl

import (
	"math/rand/v2"
	"sync"
)

var seeds struct {
	sync.Mutex
	rng *rand.Rand
}

// SetRandomSeed makes everything random in models made after it repeatable:
// first weights, the order of batches, dropout. Two runs of a program then end
// with the same weights, on the same device. On a GPU, steps of such models are compiled so
// that they compute the same each time, which can make them slower.
//
// Source: https://keras.io/api/utils/python_utils/, set_random_seed.
func SetRandomSeed(seed uint64) {
	seeds.Lock()
	defer seeds.Unlock()
	seeds.rng = rand.New(rand.NewPCG(seed, 0))
}

// newSource returns a source of random numbers for one model, and whether it is repeatable.
func newSource() (source *rand.PCG, seeded bool) {
	seeds.Lock()
	defer seeds.Unlock()
	if seeds.rng == nil {
		return rand.NewPCG(rand.Uint64(), rand.Uint64()), false
	}
	return rand.NewPCG(seeds.rng.Uint64(), seeds.rng.Uint64()), true
}
