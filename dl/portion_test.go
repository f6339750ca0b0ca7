package dl

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/kerastest"
	"github.com/gradbook/gradbook/dl/layers"
)

// TestPortions: large batches are predicted in portions, with what they would give
// whole, and none of it is seen by layers that keep a state.
func TestPortions(t *testing.T) {
	m := must(Sequential(layers.Input{Shape: layers.Shape{8, 8, 3}}, layers.Conv2D{Filters: 1 << 10, KernelSize: [2]int{3, 3}, Padding: layers.Same}, layers.GlobalAveragePooling2D{}))(t)
	nested := must(Sequential(layers.Input{Shape: layers.Shape{8, 8, 3}}, m))(t)
	stateful := must(Sequential(layers.Input{Shape: layers.Shape{4, 1 << 15}, BatchSize: 100}, layers.SimpleRNN{Units: 2, Stateful: true}))(t)
	cpu := &device.Device{Kind: "cpu", Nums: make([]compute.DeviceNum, 1)}
	for _, c := range []struct {
		m           *Model
		d           *device.Device
		batch, want int
	}{
		{m, cpu, 1, 1},
		{m, cpu, 64, 64},
		{m, cpu, 100, 50},
		{m, cpu, 1000, 50},
		{m, cpu, 67, 64},
		{m, &device.Device{Kind: "cuda", Nums: cpu.Nums}, 100, 100},
		{m, &device.Device{Kind: "cpu", Nums: make([]compute.DeviceNum, 2)}, 100, 100},
		{nested, cpu, 100, 50},
		{stateful, cpu, 100, 100},
	} {
		if got := c.m.m.Portion(c.d, c.batch); got != c.want {
			t.Errorf("%s on %s: expected portions of %d for a batch of %d, got %d", c.m.Name(), c.d.Kind, c.want, c.batch, got)
		}
	}
	x := make([]float32, 150*8*8*3)
	for i := range x {
		x[i] = float32(i%97) / 97
	}
	ds := must(data.New(tensors.FromFlatDataAndDimensions(x, 150, 8, 8, 3), nil))(t)
	kerastest.Close(t, "portions", must(m.Predict(t.Context(), ds.Batch(150)))(t), must(m.Predict(t.Context(), ds.Batch(10)))(t), 1e-5)
}
