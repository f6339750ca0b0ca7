// Package source is what a dataset is to a training loop: columns of values and
// the order in which to read their rows.
package source

import (
	"fmt"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
)

// Column is a tensor whose first axis counts examples.
type Column struct {
	// Shape has the number of rows first.
	Shape shapes.Shape
	// Flat is the values, in a slice of the shape's type. It must not change.
	Flat any

	mu     sync.Mutex
	on     *device.Device
	buffer compute.Buffer
}

// Buffer returns the column on a device, and keeps it there for the next time.
func (c *Column) Buffer(d *device.Device) (compute.Buffer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.on != d {
		buffer, err := engine.Upload(d, c.Flat, c.Shape)
		if err != nil {
			return nil, fmt.Errorf("cannot move %v to the device: %w", c.Shape, err)
		}
		c.on, c.buffer = d, buffer
	}
	return c.buffer, nil
}

// Row is the shape of one row.
func (c *Column) Row() []int { return c.Shape.Dimensions[1:] }

// Map changes a batch of examples in the graph of the step that reads it.
// y is nil if the dataset has no labels.
type Map func(x, y *graph.Node) (*graph.Node, *graph.Node)

// Pipeline is a chain of maps. Its address identifies it: a step that was
// compiled with it can be used again.
type Pipeline struct {
	Before *Pipeline
	Map    Map
}

func (p *Pipeline) apply(x, y *graph.Node) (*graph.Node, *graph.Node) {
	if p == nil {
		return x, y
	}
	x, y = p.Before.apply(x, y)
	return p.Map(x, y)
}

// Source is a dataset.
type Source struct {
	X, Y  *Column // Y is nil without labels
	Rows  []int32
	Steps *Pipeline
}

// Open moves the columns to the device. It returns their buffers and what
// programs that read them take, inputs first.
func (s *Source) Open(d *device.Device) ([]compute.Buffer, []engine.Param, error) {
	x, err := s.X.Buffer(d)
	if err != nil {
		return nil, nil, err
	}
	buffers, params := []compute.Buffer{x}, []engine.Param{{Name: "x", Shape: s.X.Shape}}
	if s.Y != nil {
		y, err := s.Y.Buffer(d)
		if err != nil {
			return nil, nil, err
		}
		buffers, params = append(buffers, y), append(params, engine.Param{Name: "y", Shape: s.Y.Shape})
	}
	return buffers, params, nil
}

// Batch reads the rows that index names, [batch], out of the columns, and sends
// them through the maps. y is nil if there are no labels. The inputs come out
// as float32.
func (s *Source) Batch(x, y, index *graph.Node) (bx, by *graph.Node) {
	at := graph.InsertAxes(index, -1)
	bx = graph.Gather(x, at)
	if y != nil {
		by = graph.Gather(y, at)
	}
	bx, by = s.Steps.apply(bx, by)
	return graph.ConvertDType(bx, dtypes.Float32), by
}

// Nodes is Batch as the body of a program: in is the columns and the index, out
// the inputs and, if there are any, the labels.
func (s *Source) Nodes(in []*graph.Node) []*graph.Node {
	if s.Y == nil {
		x, _ := s.Batch(in[0], nil, in[1])
		return []*graph.Node{x}
	}
	x, y := s.Batch(in[0], in[1], in[2])
	return []*graph.Node{x, y}
}

// Info is what a batch looks like.
type Info struct {
	X, Y shapes.Shape
	// LabelsKept says that no map changes the labels.
	LabelsKept bool
}

// Info returns what a batch of n looks like, without computing one.
func (s *Source) Info(d *device.Device, n int) (info Info, err error) {
	params := []engine.Param{{Name: "x", Shape: shapes.Make(s.X.Shape.DType, append([]int{n}, s.X.Row()...)...)}}
	if s.Y != nil {
		params = append(params, engine.Param{Name: "y", Shape: shapes.Make(s.Y.Shape.DType, append([]int{n}, s.Y.Row()...)...)})
	}
	_, err = engine.Shapes(d, params, func(in []*graph.Node) []*graph.Node {
		var y *graph.Node
		if s.Y != nil {
			y = in[1]
		}
		bx, by := s.Steps.apply(in[0], y)
		info.X, info.LabelsKept = shapes.Make(dtypes.Float32, bx.Shape().Dimensions...), by == y
		if by != nil {
			info.Y = by.Shape()
		}
		return in
	})
	if err != nil {
		return info, fmt.Errorf("a Map of the dataset does not fit its examples: %w", err)
	}
	return info, nil
}
