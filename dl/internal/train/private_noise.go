package train

import (
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
)

// generator is a cryptographic one, begun anew.
func generator() (*rand.Rand, error) {
	var seed [32]byte
	if _, err := crand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("no cryptographic random numbers: %w", err)
	}
	return rand.New(rand.NewChaCha8(seed)), nil
}

// noises makes the noise of the next step while the device works on this one, in as many parts
// as there are processors, each of a generator of its own.
type noises struct {
	size  int
	parts []*rand.Rand
	next  chan []float32
}

// fewest is how many numbers are worth a part.
const fewest = 1 << 14

func newNoises(size int) (*noises, error) {
	n := &noises{size: size, next: make(chan []float32, 1)}
	for range min(runtime.GOMAXPROCS(0), size/fewest+1) {
		r, err := generator()
		if err != nil {
			return nil, err
		}
		n.parts = append(n.parts, r)
	}
	go n.make()
	return n, nil
}

// take returns the noise of a step, which nobody else gets, and begins that of the next.
func (n *noises) take() []float32 {
	flat := <-n.next
	go n.make()
	return flat
}

// make makes the noise of one step. Its end is awaited before the next begins.
func (n *noises) make() {
	flat := make([]float32, n.size)
	var all sync.WaitGroup
	for i, r := range n.parts {
		from, to := i*n.size/len(n.parts), (i+1)*n.size/len(n.parts)
		all.Go(func() {
			for k := from; k < to; k++ {
				// Of a sum of four, the lowest digits tell nothing (Holohan and Braghin, 2021).
				flat[k] = float32((r.NormFloat64() + r.NormFloat64() + r.NormFloat64() + r.NormFloat64()) / 2)
			}
		})
	}
	all.Wait()
	n.next <- flat
}
