package train

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/source"
	"github.com/gradbook/gradbook/dl/privacy"
)

// Spent is what training has revealed of its data; the fields are those of dl.Privacy.
type Spent struct {
	Ledger     privacy.Ledger `json:"ledger"`
	Delta      float64        `json:"delta"`
	PlainSteps int            `json:"plain_steps,omitempty"`
}

// Spent is what training has revealed so far.
func (m *Model) Spent() Spent {
	m.Lock.Lock()
	defer m.Lock.Unlock()
	s := m.spent
	s.Ledger = slices.Clone(s.Ledger)
	return s
}

func (c CompileConfig) checkPrivacy() error {
	if err := c.Privacy.Check(); err != nil {
		return err
	}
	switch {
	case c.Step != nil:
		return errors.New("expected no Step in CompileConfig with Privacy, which makes a step of its own, got one")
	case c.Optimizer != nil && c.Optimizer.Common().GradientAccumulationSteps > 1:
		return errors.New("expected no GradientAccumulationSteps with Privacy, whose Microbatch does that, got both")
	}
	return nil
}

// acceptPrivate reports what cannot be trained privately.
func (m *Model) acceptPrivate(d *device.Device, ds *data.Dataset, c FitConfig) error {
	if m.compiled.Privacy == nil {
		return nil
	}
	s := source.Of(ds)
	switch {
	case s.Stream != nil:
		return errors.New("expected a table for private training, whose steps take samples of all examples, got a stream; data.New and FromTable make tables")
	case c.Once:
		return errors.New("expected Fit for private training, whose steps take samples of all examples, got TrainOnBatch")
	case m.Policy != dtypes.InvalidDType && m.Policy != dtypes.Float32:
		return fmt.Errorf("expected a model that computes in float32 for private training, in which the bound of gradients is exact, got %v", m.Policy)
	case len(d.Nums) > 1:
		return fmt.Errorf("expected one device for private training, got %d; see UseDevice", len(d.Nums))
	case m.fixedBatch() > 0:
		return fmt.Errorf("model %q has stateful layers, which carry something from example to example: private training needs each on its own", m.Name)
	}
	return nil
}

// private is what a private training has beside others. All chance in it is of a
// cryptographic generator that is begun anew each time.
type private struct {
	sample int
	delta  float64
	random *rand.Rand
	noise  *noises
	none   compute.Buffer // where no step is made
	ruled  bool           // see ruled
	most   int            // how many examples are worked on at once, unless Microbatch says it
}

func (t *training) openPrivate() error {
	n, m := len(t.source.Rows), t.model
	p := &private{sample: min(t.batch, n), delta: m.compiled.Privacy.Delta, ruled: ruled(m.Network)}
	p.most = 2 * p.sample
	if t.device.Kind != "cuda" {
		p.most = max(min(p.most, nearby/max(outputsOf(m.Network), 1)/8*8), 8)
	}
	var err error
	if p.random, err = generator(); err != nil {
		return err
	}
	if p.noise, err = newNoises(m.noiseShape().Size()); err != nil {
		return err
	}
	if p.delta == 0 {
		p.delta = 0.1 / float64(n)
	}
	m.compiled.sample, m.spent.Delta = p.sample, p.delta
	t.private = p
	t.history.Names = append(t.history.Names, "epsilon")
	t.state.Metrics = append(slices.Clone(t.state.Metrics), "epsilon")
	return nil
}

// nearby is how many outputs of layers are near enough to a processor to be worked on fast.
const nearby = 5 << 17

// outputsOf is how many numbers the layers make of one example.
func outputsOf(n *network.Network) (sum int) {
	for _, c := range n.Calls {
		if inner := c.Layer.Nested(); inner != nil {
			sum += outputsOf(inner)
			continue
		}
		for _, o := range c.Out {
			sum += max(o.Shape.Size(), 0) // of an unknown length, less than 0
		}
	}
	return sum
}

// noiseShape is that of the noise of all weights that are trained.
func (m *Model) noiseShape() shapes.Shape {
	n := 0
	for _, w := range m.Weights {
		if w.Trainable() {
			n += w.Shape.Size()
		}
	}
	return shapes.Make(dtypes.Float32, n)
}

// draw is a Poisson sample of the rows.
func (p *private) draw(rows []int32) (sample []int32) {
	rate := float64(p.sample) / float64(len(rows))
	if rate >= 1 {
		return slices.Clone(rows)
	}
	// From one to the next there is a geometric distance.
	log := math.Log1p(-rate)
	for i := -1; ; {
		u := 1 - p.random.Float64() // in (0, 1]
		i += 1 + int(min(math.Floor(math.Log(u)/log), float64(len(rows))))
		if i >= len(rows) {
			return sample
		}
		sample = append(sample, rows[i])
	}
}

// sizes are those of the batches in which a sample of n is worked on. There are few
// different ones, since each has a program of its own.
func (p *private) size(n, most int) int {
	if most == 0 {
		most = p.most
	}
	quantum := max((p.sample+3)/4, 1)
	if quantum > 8 {
		quantum = (quantum + 7) / 8 * 8
	}
	return max(min((n+quantum-1)/quantum*quantum, most), 1)
}

// privateStep makes one step of an epoch.
func (t *training) privateStep(i int) error {
	p, m := t.private, t.model
	t.state.Batch = i
	if err := t.tell(func(c callbacks.Callback) error { return c.OnTrainBatchBegin(t.state) }); err != nil {
		return err
	}
	left := p.draw(t.source.Rows)
	// What is about to be seen counts, whatever becomes of it.
	m.spent.Ledger = m.spent.Ledger.Add(privacy.Event{
		SampleRate: float64(p.sample) / float64(len(t.source.Rows)), NoiseMultiplier: m.compiled.Privacy.NoiseMultiplier, Steps: 1,
	})
	for done := false; !done; {
		size := p.size(len(left), m.compiled.Privacy.Microbatch)
		if !p.ruled {
			size = min(size, oneByOneSize)
		}
		now := left[:min(size, len(left))]
		left = left[len(now):]
		done = len(left) == 0
		if err := t.privateBatch(i, now, size, done); err != nil {
			return err
		}
	}
	t.compiled.iteration++
	m.position = position{Epoch: t.state.Epoch, Batch: i + 1, Random: t.began}
	return t.tell(func(c callbacks.Callback) error { return c.OnTrainBatchEnd(t.state) })
}

// oneByOneSize is how many examples go through a model one by one in a program, which has
// the model in it as often.
const oneByOneSize = 8

// privateBatch works on rows, filled up to a batch of size; due says that they end a sample.
func (t *training) privateBatch(i int, rows []int32, size int, due bool) error {
	full := make([]int32, size)
	copy(full, rows)
	for k := len(rows); k < size; k++ {
		full[k] = t.source.Rows[0]
	}
	t.reader.SetBatch(size)
	if err := t.reader.Rewind(full); err != nil {
		return &stepError{i, err}
	}
	in, _, err := nextOf(t.model.Lock, t.source, t.reader)
	if err != nil {
		return &stepError{i, err}
	}
	prog, err := t.program(size)
	if err != nil {
		return &stepError{i, err} // a sample that is not whole must not be added to the next
	}
	if err := t.privateInputs(len(rows), due); err != nil {
		return &stepError{i, err}
	}
	examples := t.sums.examples
	if err := t.step(prog, in, size); err != nil {
		return err
	}
	t.sums.examples = examples + max(len(rows), 1)
	return nil
}

// privateInputs are count, due and noise.
func (t *training) privateInputs(count int, due bool) error {
	p, shape := t.private, t.model.noiseShape()
	t.freeExtra()
	for _, v := range []int{count, boolInt(due)} {
		b, err := engine.Upload(t.device, []float32{float32(v)}, scalarFloat)
		if err != nil {
			return err
		}
		t.extra = append(t.extra, b)
	}
	if due {
		noise, err := engine.Upload(t.device, p.noise.take(), shape)
		t.extra = append(t.extra, noise)
		return err
	}
	var err error
	if p.none == nil {
		p.none, err = engine.Upload(t.device, make([]float32, shape.Size()), shape)
	}
	t.extra = append(t.extra, p.none)
	return err
}

// freeExtra frees what was beside the inputs of a step, but for what the next may need.
func (t *training) freeExtra() {
	for _, b := range t.extra {
		if t.private == nil || b != t.private.none {
			engine.Free(b)
		}
	}
	t.extra = nil
}

// closePrivate frees what all steps share.
func (t *training) closePrivate() {
	t.freeExtra()
	if t.private != nil {
		engine.Free(t.private.none)
	}
}

// addEpsilon adds what has been spent so far to logs.
func (t *training) addEpsilon(logs callbacks.Logs) error {
	if t.private == nil {
		return nil
	}
	epsilon, err := t.model.spent.Ledger.Epsilon(t.private.delta)
	if err != nil { // losses that do not fit a grid, of very little noise
		epsilon, err = privacy.RDP{}.Epsilon(t.model.spent.Ledger, t.private.delta)
	}
	logs["epsilon"] = epsilon
	return err
}
