package train

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
)

// openNoise puts the state of the device's random numbers on the device; they begin
// with the model's own.
func (m *Model) openNoise(d *device.Device) error {
	if m.noise == nil {
		m.noise = &noise{host: []uint64{m.Random.Uint64(), m.Random.Uint64(), m.Random.Uint64()}}
	}
	host, err := m.noise.values()
	if err != nil {
		return err
	}
	engine.Free(m.noise.buffer)
	m.noise.buffer, err = engine.Upload(d, host, graph.RNGStateShape)
	m.noise.host = host
	return err
}

// values waits for the device.
func (n *noise) values() ([]uint64, error) {
	if n.buffer == nil {
		return n.host, nil
	}
	host := make([]uint64, graph.RNGStateShape.Size())
	return host, n.buffer.ToFlatData(host)
}
