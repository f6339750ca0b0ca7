package train

import (
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
)

// openNoise puts the state of the device's random numbers on the device; they begin
// with the model's own.
func (m *Model) openNoise(d *device.Device) (err error) {
	m.noise, err = m.noise.open(d, func() []uint64 {
		return []uint64{m.Random.Uint64(), m.Random.Uint64(), m.Random.Uint64()}
	})
	return err
}

// openChance is openNoise for evaluation and prediction. Their numbers follow from the model's
// as well, but use none of them up: evaluating a model does not change how it is trained.
func (m *Model) openChance(d *device.Device) (err error) {
	m.chance, err = m.chance.open(d, func() []uint64 {
		copied := *m.PCG
		r := rand.New(&copied)
		return []uint64{^r.Uint64(), ^r.Uint64(), ^r.Uint64()}
	})
	return err
}

// open puts the state on the device; there is none before the first time.
func (n *noise) open(d *device.Device, first func() []uint64) (*noise, error) {
	if n == nil {
		n = &noise{host: first()}
	}
	if n.buffer != nil && n.on == d {
		return n, nil
	}
	host, err := n.values()
	if err != nil {
		return n, err
	}
	engine.Free(n.buffer)
	n.host, n.on = host, d
	n.buffer, err = engine.Upload(d, host, graph.RNGStateShape)
	return n, err
}

// values waits for the device.
func (n *noise) values() ([]uint64, error) {
	if n.buffer == nil {
		return n.host, nil
	}
	host := make([]uint64, graph.RNGStateShape.Size())
	return host, n.buffer.ToFlatData(host)
}
