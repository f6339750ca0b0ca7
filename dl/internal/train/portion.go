package train

import (
	"github.com/gradbook/gradbook/dl/internal/device"
)

// cached is about what a processor's caches hold, in values.
const cached = 4 << 20

// Portion is how many examples of a batch are predicted together. On a CPU what a
// layer passes to the next should not leave the caches: of the document's network,
// 1,000 images take a third less time in portions of 125. Layers that keep a state
// have to see the batch whole.
func (m *Model) Portion(d *device.Device, batch int) int {
	if d.Kind == "cuda" || len(d.Nums) > 1 || m.fixedBatch() > 0 {
		return batch
	}
	most := max(cached/m.Widest(), 32)
	if batch <= most {
		return batch
	}
	// A divisor leaves no rest, for which there would have to be another program.
	for n := most; n > most/2; n-- {
		if batch%n == 0 {
			return n
		}
	}
	return most
}
