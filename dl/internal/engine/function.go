package engine

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/device"
)

// Function compiles a graph for tensors like these, to call it with such.
func Function(d *device.Device, build func(in []*graph.Node) []*graph.Node, like []*tensors.Tensor) (*Program, error) {
	var params []Param
	for i, x := range like {
		if x == nil {
			return nil, fmt.Errorf("expected a tensor as argument %d, got nil", i)
		}
		params = append(params, Param{Name: fmt.Sprintf("x%d", i), Shape: x.Shape()})
	}
	return Compile(d, "function", params, build)
}

// Call runs a Function on tensors of the shapes that it was compiled for.
func (p *Program) Call(in []*tensors.Tensor) (out []*tensors.Tensor, err error) {
	buffers, err := UploadAll(p.device, in)
	defer Free(buffers...)
	if err != nil {
		return nil, err
	}
	results, err := p.Run(buffers)
	if err != nil {
		return nil, err
	}
	for _, b := range results {
		t, err := Tensor(b)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// UploadAll moves tensors to the device. With an error it returns those that it moved.
func UploadAll(d *device.Device, in []*tensors.Tensor) (buffers []compute.Buffer, err error) {
	for _, x := range in {
		var b compute.Buffer
		if e := x.ConstFlatData(func(flat any) { b, err = Upload(d, flat, x.Shape()) }); e != nil {
			err = e
		}
		if err != nil {
			return buffers, err
		}
		buffers = append(buffers, b)
	}
	return buffers, nil
}
