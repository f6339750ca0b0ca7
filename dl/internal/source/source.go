// Package source is how datasets hand their examples to the programs that use
// them.
//
// A dataset is a table or a stream. A table's columns are moved to the device once,
// and programs read rows out of them, in any order; a stream's batches are made on
// the host, and moved one by one. Maps are part of the program in both.
package source

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
)

// Column is a tensor whose first axis counts rows.
type Column struct {
	// Shape has the number of rows first.
	Shape shapes.Shape
	// Flat is the values, in a slice of the shape's type. It must not change.
	Flat any
	// Window makes an example of several rows: those at these distances from
	// its own. nil is the row itself.
	Window []int32

	values *values
	known  atomic.Pointer[known] // of datasets whose first column this is
}

// values are what several columns over the same tensor share.
type values struct {
	mu     sync.Mutex
	on     *device.Device
	buffer compute.Buffer
}

// NewColumn makes a column of values.
func NewColumn(shape shapes.Shape, flat any) *Column {
	return &Column{Shape: shape, Flat: flat, values: &values{}}
}

// Windowed is the same column, read in windows.
func (c *Column) Windowed(offsets []int32) *Column {
	return &Column{Shape: c.Shape, Flat: c.Flat, Window: offsets, values: c.values}
}

// Buffer returns the column on a device, and keeps it there for the next time.
func (c *Column) Buffer(d *device.Device) (compute.Buffer, error) {
	v := c.values
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.on != d {
		buffer, err := engine.Upload(d, c.Flat, c.Shape)
		if err != nil {
			err = engine.OutOfMemory(err, "a dataset", "train on fewer examples, or read them as a stream (data.FromGenerator)")
			return nil, fmt.Errorf("cannot move %v to the device: %w", c.Shape, err)
		}
		v.on, v.buffer = d, buffer
	}
	return v.buffer, nil
}

// Row is the shape of one example.
func (c *Column) Row() []int {
	row := c.Shape.Dimensions[1:]
	if c.Window != nil {
		row = append([]int{len(c.Window)}, row...)
	}
	return row
}

// Size is the number of values of one example.
func (c *Column) Size() int {
	n := 1
	for _, d := range c.Row() {
		n *= d
	}
	return n
}

// read returns the examples at the places that index names, [batch].
func (c *Column) read(x, index *graph.Node) *graph.Node {
	at := graph.InsertAxes(index, -1)
	if c.Window != nil {
		at = graph.InsertAxes(graph.Add(at, graph.ExpandLeftToRank(graph.Const(x.Graph(), c.Window), 2)), -1)
	}
	return graph.Gather(x, at)
}

// Batch is a batch of examples in a graph. Y is empty without labels, W nil without
// weights of examples.
type Batch struct {
	X, Y []*graph.Node
	W    *graph.Node
}

// Map changes a batch of examples in the graph of the step that reads it.
type Map func(Batch) Batch

// Pipeline is a chain of maps. Its address identifies it: a step that was
// compiled with it can be used again.
type Pipeline struct {
	Before *Pipeline
	Map    Map
}

// Apply sends a batch through the maps.
func (p *Pipeline) Apply(b Batch) Batch {
	if p == nil {
		return b
	}
	return p.Map(p.Before.Apply(b))
}

// Source is a dataset.
type Source struct {
	X, Y []*Column // Y is empty without labels
	W    *Column   // nil without weights of examples
	Rows []int32   // of a table
	// Stream makes the examples if they are not a table's; the columns then
	// have shapes for one row, and no values.
	Stream Stream
	Steps  *Pipeline
}

// Stream makes examples, from the beginning each time that it is opened.
type Stream interface {
	// Open starts; next returns the examples of a batch in the flat form of the
	// source's columns (x…, y…, w), up to n of them, and no more than 0 at the end.
	Open() (next func(n int) (flat []any, rows int, err error), stop func())
	// Len is the number of examples, −1 if it is not known.
	Len() int
}

// Of returns the source of a *data.Dataset. Package data sets it.
var Of func(dataset any) *Source

// Len is the number of examples, −1 if it is not known.
func (s *Source) Len() int {
	if s.Stream != nil {
		return s.Stream.Len()
	}
	return len(s.Rows)
}

// Columns are all columns, in the order in which programs take them.
func (s *Source) Columns() []*Column {
	all := append(append([]*Column{}, s.X...), s.Y...)
	if s.W != nil {
		all = append(all, s.W)
	}
	return all
}

// Params describes the columns to a program that reads batches of at most n: a
// table's are the whole of it.
func (s *Source) Params(n int) []engine.Param {
	var params []engine.Param
	for i, c := range s.Columns() {
		shape := c.Shape
		if s.Stream != nil {
			shape = shapes.Make(c.Shape.DType, append([]int{n}, c.Shape.Dimensions[1:]...)...)
		}
		params = append(params, engine.Param{Name: fmt.Sprintf("column%d", i), Shape: shape})
	}
	return params
}

// Open moves a table's columns to the device.
func (s *Source) Open(d *device.Device) ([]compute.Buffer, error) {
	var buffers []compute.Buffer
	for _, c := range s.Columns() {
		b, err := c.Buffer(d)
		if err != nil {
			return nil, err
		}
		buffers = append(buffers, b)
	}
	return buffers, nil
}

// split puts nodes, one for each column, in their places.
func (s *Source) split(nodes []*graph.Node) Batch {
	b := Batch{X: nodes[:len(s.X):len(s.X)], Y: nodes[len(s.X) : len(s.X)+len(s.Y) : len(s.X)+len(s.Y)]}
	if s.W != nil {
		b.W = nodes[len(nodes)-1]
	}
	return b
}

// Batch reads the rows that index names, [batch], out of the columns, and sends
// them through the maps. The inputs come out as float32.
func (s *Source) Batch(columns []*graph.Node, index *graph.Node) Batch {
	rows := make([]*graph.Node, len(columns))
	for i, c := range s.Columns() {
		rows[i] = c.read(columns[i], index)
	}
	b := s.Steps.Apply(s.split(rows))
	x := make([]*graph.Node, len(b.X))
	for i := range x {
		x[i] = graph.ConvertDType(b.X[i], dtypes.Float32)
	}
	b.X = x
	return b
}

// Info is what a batch looks like.
type Info struct {
	X, Y []shapes.Shape
	// LabelsKept says that no map changes the labels, InputsKept the same of the
	// inputs.
	LabelsKept, InputsKept bool
}

// known is what a batch was found to look like: models ask each time that they are given a dataset,
// which for one example is a tenth of a prediction.
type known struct {
	on      *device.Device
	n       int
	columns []*Column
	x, y    int // how many of them
	steps   *Pipeline
	info    Info
}

// Info returns what a batch of n looks like, without computing one.
func (s *Source) Info(d *device.Device, n int) (Info, error) {
	columns := s.Columns()
	if k := s.X[0].known.Load(); k != nil && k.on == d && k.n == n && k.steps == s.Steps && k.x == len(s.X) && k.y == len(s.Y) && slices.Equal(k.columns, columns) {
		return k.info, nil
	}
	info, err := s.look(d, n)
	if err == nil {
		s.X[0].known.Store(&known{d, n, columns, len(s.X), len(s.Y), s.Steps, info})
	}
	return info, err
}

func (s *Source) look(d *device.Device, n int) (info Info, err error) {
	var params []engine.Param
	for i, c := range s.Columns() {
		params = append(params, engine.Param{Name: fmt.Sprintf("column%d", i), Shape: shapes.Make(c.Shape.DType, append([]int{n}, c.Row()...)...)})
	}
	_, err = engine.Shapes(d, params, func(in []*graph.Node) []*graph.Node {
		before := s.split(in)
		after := s.Steps.Apply(before)
		for _, x := range after.X {
			info.X = append(info.X, shapes.Make(dtypes.Float32, x.Shape().Dimensions...))
		}
		for _, y := range after.Y {
			info.Y = append(info.Y, y.Shape())
		}
		info.LabelsKept, info.InputsKept = equal(before.Y, after.Y), equal(before.X, after.X)
		return in
	})
	if err != nil {
		return info, fmt.Errorf("a Map of the dataset does not fit its examples: %w", err)
	}
	return info, nil
}

func equal(a, b []*graph.Node) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
