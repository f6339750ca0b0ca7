package train

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/hooks"
	"github.com/gradbook/gradbook/dl/internal/mpi"
	"github.com/gradbook/gradbook/dl/internal/source"
)

// Training by several processes: each reads its part of every batch, and what they find is
// averaged in the step itself, weighted by the parts' sizes. So all of them have the same weights
// and the same logs, which are those of one process that reads whole batches.

// join prepares a training, which several processes begin alike.
func (m *Model) join(d *device.Device, ds *data.Dataset, c *FitConfig, batch int) error {
	if err := m.acceptTogether(d, ds, *c, batch); err != nil {
		return err
	}
	c.first()
	m.prepareSlots()
	return m.agree()
}

// acceptTogether checks what several processes can train, and shares out the batch.
func (m *Model) acceptTogether(d *device.Device, ds *data.Dataset, c FitConfig, batch int) error {
	n := mpi.Size()
	switch {
	case n == 1:
		return nil
	case d.Kind != "cpu" || len(d.Nums) > 1:
		return fmt.Errorf("expected the CPU to train by %d processes, got %s: GPUs of one machine train together by themselves", n, d.Name())
	case source.Of(ds).Stream != nil:
		return fmt.Errorf("expected a table to train by %d processes, got a stream, of which each process would have to read all; Cache makes a table of it", n)
	case m.compiled.Privacy != nil:
		return errors.New("private training by several processes is not supported")
	case m.Policy == dtypes.Float16:
		return errors.New("mixed_float16 by several processes is not supported, whose scale each would choose by itself: use mixed_bfloat16")
	case m.fixedBatch() > 0:
		return errors.New("stateful layers are not supported by several processes: a state belongs to one of them")
	case batch%n != 0:
		return fmt.Errorf("expected a BatchSize that %d processes can share, got %d", n, batch)
	case c.Once:
		return errors.New("TrainOnBatch by several processes is not supported: use Fit")
	}
	return nil
}

// part is the rows of each batch that this process reads, in order. In the last one, a process
// for which none is left reads one that does not count.
func part(rows []int32, batch, rank, size int) (own []int32) {
	for from := 0; from < len(rows); from += batch {
		b := rows[from:min(from+batch, len(rows))]
		lo, hi := portion(len(b), rank, size)
		if lo == hi {
			own = append(own, b[0])
			continue
		}
		own = append(own, b[lo:hi]...)
	}
	return own
}

// portion is from where to where a process reads in a batch of n.
func portion(n, rank, size int) (lo, hi int) { return n * rank / size, n * (rank + 1) / size }

// shareOf is how much of a batch of so many examples this process has.
func shareOf(examples, rank, size int) float32 {
	lo, hi := portion(examples, rank, size)
	return float32(float64(hi-lo) / float64(examples))
}

// share puts this process's share of the next batch on the device.
func (t *training) share() error {
	if !mpi.Together() {
		return nil
	}
	examples := min(t.batch, t.state.Examples-t.state.Batch*t.batch)
	if examples == t.shared {
		return nil
	}
	b, err := engine.Upload(t.device, []float32{shareOf(examples, mpi.Rank(), mpi.Size())}, scalarFloat)
	if err != nil {
		return err
	}
	engine.Free(t.extra...)
	t.extra, t.shared = []compute.Buffer{b}, examples
	return nil
}

// agree gives all processes what the first one begins with: weights, the optimizer's state, where
// the training is, and what is drawn.
func (m *Model) agree() error {
	if !mpi.Together() {
		return nil
	}
	for _, w := range append(slices.Clone(m.Weights), m.state()...) {
		values, err := w.Values()
		if err != nil {
			return err
		}
		raw, err := binary.Append(nil, binary.LittleEndian, values)
		if err != nil {
			return err
		}
		mpi.Broadcast(raw)
		if _, err := binary.Decode(raw, binary.LittleEndian, values); err != nil {
			return err
		}
		w.Set(values)
	}
	// Noise follows from these numbers, and changes alike everywhere.
	random, err := m.PCG.MarshalBinary()
	if err != nil {
		return err
	}
	numbers := []float64{float64(m.compiled.iteration), m.compiled.rate}
	raw, err := binary.Append(slices.Clone(random), binary.LittleEndian, numbers)
	if err != nil {
		return err
	}
	mpi.Broadcast(raw)
	if err := m.PCG.UnmarshalBinary(raw[:len(random)]); err != nil {
		return err
	}
	if _, err := binary.Decode(raw[len(random):], binary.LittleEndian, numbers); err != nil {
		return err
	}
	m.compiled.iteration, m.compiled.rate = int(numbers[0]), numbers[1]
	return nil
}

// first has only the first process write: files, and the progress bar.
func (c *FitConfig) first() {
	if mpi.Rank() == 0 {
		return
	}
	c.Callbacks = slices.DeleteFunc(slices.Clone(c.Callbacks), func(b callbacks.Callback) bool { return hooks.Writes(b) })
	nothing := func(string) error { return nil }
	c.Hooks.Save, c.Hooks.SaveWeights = nothing, nothing
}

// apartBy makes the random numbers of processes differ: of each, a word of the state is another
// one while it computes. back undoes it.
func apartBy(random *graph.Node, back bool) *graph.Node {
	by := uint64(mpi.Rank()) * 0x9e3779b97f4a7c15
	if back {
		by = -by
	}
	return graph.Add(random, graph.Const(random.Graph(), []uint64{by, 0, 0}))
}

// overAll are gradients as means over the processes.
func (u *updater) overAll(gradients []*graph.Node) []*graph.Node {
	if u.share == nil {
		return gradients
	}
	weighted := make([]*graph.Node, len(gradients))
	// What is known first, from the last layers on, is sent first.
	for i, g := range gradients {
		weighted[len(gradients)-1-i] = graph.Mul(g, u.share)
	}
	all := mpi.Sum(weighted)
	slices.Reverse(all)
	return all
}

// counted are a step's sums over the processes that have examples of the batch.
func (u *updater) counted(sums *graph.Node) *graph.Node {
	if u.share == nil {
		return sums
	}
	has := graph.ConvertDType(graph.GreaterThan(u.share, graph.ZerosLike(u.share)), sums.DType())
	return mpi.Sum([]*graph.Node{graph.Mul(sums, has)})[0]
}
