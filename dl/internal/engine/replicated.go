package engine

import (
	"errors"
	"slices"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/device"
)

// On several devices, every value is on each of them, and XLA divides the work: a
// program marks the places of its batch as divided, and what is computed of them is
// divided as far as it can be, up to sums over the batch, for which the devices talk to
// each other. So a program is written once, and means the same on any number.

// batchAxis names the axis along which devices share a batch.
const batchAxis = "batch"

type placesKey struct{}

// Places returns 0, 1, … n − 1 as int32 [n]. On several devices they are divided among
// these, if there is no rest, and with them the work on what is read at them. A program
// may call it once.
func Places(g *graph.Graph, n int) *graph.Node {
	shape := shapes.Make(dtypes.Int32, n)
	if g.NumDevices() <= 1 || n%g.NumDevices() != 0 {
		return graph.Iota(g, shape, 0)
	}
	divided := &distributed.ShardingSpec{Mesh: g.DeviceMeshes()[0], Axes: []distributed.AxisSpec{{batchAxis}}}
	places := graph.ShardedParameter(g, "places", shape, divided)
	g.AttachState(placesKey{}, places)
	return places
}

// spread prepares a graph for the devices. It returns how values are on them: whole on
// each.
func spread(g *graph.Graph, d *device.Device) (*distributed.ShardingSpec, error) {
	if len(d.Nums) == 1 {
		return nil, nil
	}
	mesh, err := distributed.NewDeviceMesh([]int{len(d.Nums)}, []string{batchAxis})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(g.SetAutoSharding(mesh), g.SetDeviceAssignment(d.Nums)); err != nil {
		return nil, err
	}
	return distributed.NewReplicatedShardingSpec(mesh), nil
}

// divide uploads each device's part of the places, if the program has any.
func (p *Program) divide(g *graph.Graph, d *device.Device) error {
	places, ok := g.State(placesKey{}).(*graph.Node)
	if ok {
		p.donate = append(p.donate, false)
		part := shapes.Make(dtypes.Int32, places.Shape().Size()/len(d.Nums))
		for i, num := range d.Nums {
			values := make([]int32, part.Size())
			for j := range values {
				values[j] = int32(i*len(values) + j)
			}
			b, err := d.BufferFromFlatData(num, values, part)
			if err != nil {
				return err
			}
			p.places = append(p.places, b)
		}
	}
	p.donate = slices.Repeat(p.donate, len(d.Nums))
	return nil
}

// together is held by a program on several devices: of two, each could hold a device
// that the other waits for.
var together sync.Mutex

// runTogether executes the program on all of its devices.
func (p *Program) runTogether(in []compute.Buffer) ([]compute.Buffer, error) {
	n := len(p.device.Nums)
	var flat []compute.Buffer // all inputs of the first device, then of the second, …
	for i := range n {
		for _, b := range in {
			flat = append(flat, b.(*replicated).copies[i])
		}
		if p.places != nil {
			flat = append(flat, p.places[i])
		}
	}
	together.Lock()
	defer together.Unlock()
	flat, err := p.exec.Execute(flat, p.donate, 0)
	if err != nil {
		return nil, err
	}
	out := make([]compute.Buffer, len(flat)/n)
	for i := range out {
		r := &replicated{Buffer: flat[i]}
		for j := range n {
			r.copies = append(r.copies, flat[j*len(out)+i])
		}
		out[i] = r
	}
	return out, nil
}

// replicated is a value that several devices have. It reads as the first's.
type replicated struct {
	compute.Buffer
	copies []compute.Buffer
}

// Finalize implements compute.Buffer.
func (r *replicated) Finalize() error {
	Free(r.copies...)
	return nil
}

// first returns the first device's copy of a buffer, and frees the others.
func first(b compute.Buffer) compute.Buffer {
	if r, ok := b.(*replicated); ok {
		Free(r.copies[1:]...)
		return r.Buffer
	}
	return b
}

// replicate moves values to all devices.
func replicate(d *device.Device, flat any, shape shapes.Shape) (compute.Buffer, error) {
	r := &replicated{}
	for _, num := range d.Nums {
		b, err := d.BufferFromFlatData(num, flat, shape)
		if err != nil {
			Free(r.copies...)
			return nil, err
		}
		r.copies = append(r.copies, b)
	}
	r.Buffer = r.copies[0]
	return r, nil
}
