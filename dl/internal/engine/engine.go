// Package engine compiles graphs into programs that run on buffers of a device.
// It is a thin edge around GoMLX: panics of graph code become errors here, and
// nothing is converted or looked up when a program runs.
package engine

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/plugin"
)

// Param is an input of a program.
type Param struct {
	Name  string
	Shape shapes.Shape
	// Donated inputs are used up: the program may write its outputs over them,
	// and the caller must not touch the buffer again.
	Donated bool
}

// identifier is the parameter's name in XLA's language, which takes few signs.
func (p Param) identifier(i int) string {
	letter := func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}
	return fmt.Sprintf("p%d_%s", i, strings.Map(letter, p.Name))
}

// Program is a compiled graph.
type Program struct {
	exec   compute.Executable
	donate []bool // for each device in turn
	device *device.Device
	places []compute.Buffer // each device's part of Places
}

// Compile builds a graph and compiles it for a device. build gets a node for each
// parameter and returns the outputs; its panics are returned as errors.
func Compile(d *device.Device, name string, params []Param, build func(in []*graph.Node) []*graph.Node) (*Program, error) {
	return compile(d, name, params, plain(build), nil)
}

// Builder builds a graph that finds out, while it is built, which further parameters it
// needs: more adds one, behind those that are there. Without outputs there is no program.
type Builder func(g *graph.Graph, in []*graph.Node, more func(Param) *graph.Node) []*graph.Node

// CompileWith is Compile for a Builder, whose program rounds to 16 bits wherever it says so.
func CompileWith(d *device.Device, name string, params []Param, build Builder) (*Program, error) {
	return compile(d, name, params, build, d.Exact())
}

func plain(build func(in []*graph.Node) []*graph.Node) Builder {
	return func(_ *graph.Graph, in []*graph.Node, _ func(Param) *graph.Node) []*graph.Node { return build(in) }
}

// CompileDeterministic is Compile for a program that must compute the same each time, also
// where another would be faster. If the device cannot do that, it says so, once.
func CompileDeterministic(d *device.Device, name string, params []Param, build func(in []*graph.Node) []*graph.Node) (*Program, error) {
	options := d.Deterministic()
	p, err := compile(d, name, params, plain(build), options)
	if err == nil || len(options) == 0 {
		return p, err
	}
	other, otherErr := compile(d, name, params, plain(build), nil)
	if otherErr != nil { // it was something else
		return nil, err
	}
	undetermined.Do(func() {
		fmt.Fprintf(os.Stderr, "dl: %s cannot compute the same each time, so that results may differ in their last digits, in spite of SetRandomSeed: %s\n", d.Name(), device.OneLine(err))
	})
	return other, nil
}

var undetermined sync.Once

// errNothing says that a graph has no outputs.
var errNothing = errors.New("nothing to compile")

func compile(d *device.Device, name string, params []Param, build Builder, options []plugin.Option) (*Program, error) {
	g := graph.NewGraph(d.Backend, name)
	p := &Program{device: d}
	err := Try(func() error {
		whole, err := spread(g, d)
		if err != nil {
			return err
		}
		more := func(param Param) *graph.Node {
			node := graph.ShardedParameter(g, param.identifier(len(p.donate)), param.Shape, whole)
			p.donate = append(p.donate, param.Donated)
			if param.Donated {
				donor(node)
			}
			return node
		}
		nodes := make([]*graph.Node, len(params))
		for i, param := range params {
			nodes[i] = more(param)
		}
		out := build(g, nodes, more)
		if len(out) == 0 {
			return errNothing
		}
		if whole != nil {
			if err := p.divide(g, d); err != nil {
				return err
			}
		}
		return plugin.With(options, func() error {
			if whole == nil {
				return g.Compile(out...)
			}
			return g.CompileWithSharding(out, slices.Repeat([]*distributed.ShardingSpec{whole}, len(out)))
		})
	})
	if errors.Is(err, errNothing) {
		g.Finalize()
		return nil, nil
	}
	if err != nil {
		return nil, shortage(d, err)
	}
	p.exec = g.Executable()
	return p, nil
}

// Run executes the program and waits for it.
func (p *Program) Run(in []compute.Buffer) ([]compute.Buffer, error) {
	var out []compute.Buffer
	var err error
	if len(p.device.Nums) > 1 {
		out, err = p.runTogether(in)
	} else {
		out, err = p.exec.Execute(in, p.donate, p.device.Nums[0])
	}
	return out, shortage(p.device, err)
}

// Shapes builds a graph without compiling it, and returns its outputs' shapes.
func Shapes(d *device.Device, params []Param, build func(in []*graph.Node) []*graph.Node) (out []shapes.Shape, err error) {
	g := graph.NewGraph(d.Backend, "shapes")
	err = Try(func() error {
		nodes := make([]*graph.Node, len(params))
		for i, param := range params {
			nodes[i] = graph.Parameter(g, param.identifier(i), param.Shape)
		}
		for _, n := range build(nodes) {
			out = append(out, n.Shape())
		}
		return nil
	})
	return out, err
}

// Try calls f and returns its panic as an error; a runtime error, which is a
// mistake in the program rather than in its input, keeps its stack.
func Try(f func() error) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface {
			error
			RuntimeError()
		}:
			panic(r)
		case error:
			err = r
		default:
			err = errors.New(fmt.Sprint(r))
		}
	}()
	return f()
}

// Upload moves values to the device.
func Upload(d *device.Device, flat any, shape shapes.Shape) (compute.Buffer, error) {
	var b compute.Buffer
	var err error
	if len(d.Nums) > 1 {
		b, err = replicate(d, flat, shape)
	} else {
		b, err = d.BufferFromFlatData(d.Nums[0], flat, shape)
	}
	return b, shortage(d, err)
}

// Tensor makes a tensor of a program's output, which it takes over.
func Tensor(b compute.Buffer) (*tensors.Tensor, error) { return tensors.FromBuffer(first(b)) }

// Free gives buffers back to the device; nil ones are passed over.
func Free(buffers ...compute.Buffer) {
	for _, b := range buffers {
		if b != nil {
			_ = b.Finalize()
		}
	}
}
