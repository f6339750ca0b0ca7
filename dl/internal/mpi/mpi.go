// Package mpi is the processes that train together, each on its part of every batch, and what
// they say to each other by MPI. Programs that are built with the tag mpi have it; others are one
// process.
//
// In a graph, Sum adds numbers up over all processes while the program runs, by a foreign
// function. All processes must make the same calls in the same order, or wait for each other for
// ever: so each call of a graph waits for the one before it.
//
// Source: https://www.mpi-forum.org/docs/mpi-4.1/mpi41-report.pdf
package mpi

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/native"
)

// world is where this process is among those that train together; nil if it is alone.
var world *struct{ rank, size int }

// ErrNotBuilt is what programs without the tag get.
var ErrNotBuilt = errors.New("this program is built without MPI: go build -tags mpi, with an MPI for C such as Debian's libopenmpi-dev")

// Start joins the processes that mpirun has started. A program without mpirun is one of one.
func Start() error {
	if world != nil {
		return nil
	}
	rank, size, err := start()
	if err != nil {
		return err
	}
	world = &struct{ rank, size int }{rank, size}
	return nil
}

// Stop leaves them: the last thing that a process does.
func Stop() {
	if world != nil {
		stop()
	}
}

// Rank is this process's number, from 0; Size is how many there are.
func Rank() int {
	if world == nil {
		return 0
	}
	return world.rank
}

// Size is how many processes train together; 1 if there is no MPI.
func Size() int {
	if world == nil {
		return 1
	}
	return world.size
}

// Together says whether there are several.
func Together() bool { return Size() > 1 }

// Broadcast gives all processes the bytes of the first.
func Broadcast(b []byte) {
	if Together() && len(b) > 0 {
		broadcast(b)
	}
}

// Abort ends all processes, since this one cannot go on.
func Abort(err error) {
	abort(fmt.Sprintf("dl: rank %d of %d cannot go on, which ends all: %v\n", Rank(), Size(), err))
}

// chain is the state of a graph that holds the last call.
type chain struct{}

// bucket is how many numbers are sent at once, while what comes before them is still computed.
const bucket = 1 << 20

// Sum adds up float32 nodes over all processes. It has no gradient.
func Sum(x []*graph.Node) []*graph.Node {
	if !Together() || len(x) == 0 {
		return x
	}
	var out []*graph.Node
	for from := 0; from < len(x); {
		n, to := 0, from
		for to < len(x) && (to == from || n+x[to].Shape().Size() <= bucket) {
			n += x[to].Shape().Size()
			to++
		}
		out = append(out, sum(x[from:to])...)
		from = to
	}
	return out
}

func sum(x []*graph.Node) []*graph.Node {
	g := x[0].Graph()
	last, _ := g.State(chain{}).(*graph.Node)
	if last == nil {
		last = graph.ConstAsDType(g, dtypes.Float32, 0)
	}
	in := append(append([]*graph.Node{}, x...), last)
	var out []shapes.Shape
	for _, n := range in {
		if n.DType() != dtypes.Float32 {
			panic(fmt.Errorf("expected float32 to add up over processes, got %s", n.DType()))
		}
		out = append(out, n.Shape())
	}
	all := native.Call(handler, nil, in, out...)
	g.AttachState(chain{}, all[len(x)])
	return all[:len(x)]
}

// shared is the state of a graph that holds the share of the batch that this process has.
type shared struct{}

// SetShare says which share of the batch this process has, for what layers ask of a batch as a
// whole.
func SetShare(share *graph.Node) { share.Graph().AttachState(shared{}, share) }

// ShareIn is that share; nil if this process has all of it.
func ShareIn(g *graph.Graph) *graph.Node {
	share, _ := g.State(shared{}).(*graph.Node)
	return share
}

// handler is the name of the foreign function.
const handler = "mpisum"
