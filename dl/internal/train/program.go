package train

import (
	"fmt"
	"os"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/mpi"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/source"
)

// A programKind is one of the executables that do a whole batch on the device. It reads
// its examples, runs the model and, in training, changes the weights. Its
// inputs are, in this order:
//
//	what source.Reader says: columns, order, offset
//	rate      the learning rate (train): float32
//	share     of the batch, that this process has (train, if there are several): float32
//	count     of the examples, due, and noise: see privateNodes (private training)
//	sums      of all that is measured: float32 [k]
//	iteration the optimizer's steps so far (train): float32
//	random    the state of the generator
//	weights
//	state     the optimizer's (train)
//
// From offset on (without the rate, and the weights where they do not change) they
// are donated and come back as outputs, so a loop over batches waits for nothing
// and copies nothing. Predicting has outputs instead of sums, and so has looking at ranges.
type programKind int

const (
	train programKind = iota
	evaluate
	predict
	trace // of Model.Trace, which has a batch's inputs, its labels and the weights
	ranges
)

// programKey says which batches a program is good for.
type programKey struct {
	kind    programKind
	on      *device.Device
	batch   int
	columns string // their shapes, and that of the order
	labels  string // for which the measures are laid out
	trained string // which weights are
	mapping *source.Pipeline
	sample  int // by which a private step divides
}

// maxPrograms is how many programs a model keeps.
const maxPrograms = 32

var scalarFloat = shapes.Make(dtypes.Float32)

// trainedKey tells which weights are trained.
func (m *Model) trainedKey() string {
	var b strings.Builder
	writeTrainable(m.Network, &b)
	for _, w := range m.Weights {
		b.WriteByte("01"[boolInt(w.Trainable())])
	}
	return b.String()
}

// writeTrainable tells which layers are, also of networks that are layers.
func writeTrainable(n *network.Network, b *strings.Builder) {
	for _, l := range n.Layers {
		b.WriteByte("01"[boolInt(l.Trainable)])
		if inner := l.Nested(); inner != nil {
			writeTrainable(inner, b)
		}
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// programs are those of one pass over a dataset, by the size of the batch.
type programs struct {
	model  *Model
	kind   programKind
	device *device.Device
	source *source.Source
	reader *source.Reader
	key    programKey
	bySize map[int]*engine.Program
}

// programsFor prepares to run programs of a kind on what a reader reads.
func (m *Model) programsFor(kind programKind, d *device.Device, s *source.Source, r *source.Reader) *programs {
	key := programKey{kind: kind, on: d, mapping: s.Steps, trained: m.trainedKey()}
	if kind != predict && kind != ranges {
		key.labels = m.compiled.labels
	}
	if kind == train {
		key.sample = m.compiled.sample
	}
	return &programs{model: m, kind: kind, device: d, source: s, reader: r, key: key, bySize: make(map[int]*engine.Program)}
}

// of returns the program for batches of a size, compiled the first time.
func (p *programs) of(batch int) (*engine.Program, error) {
	if found := p.bySize[batch]; found != nil {
		return found, nil
	}
	m, key := p.model, p.key
	if fixed := m.fixedBatch(); fixed > 0 && fixed != batch {
		return nil, fmt.Errorf("model %q has stateful layers, which carry a state for each of the %d examples of BatchSize of its layers.Input: expected batches of %[2]d, got one of %d; set BatchSize, and take a multiple of it of the examples", m.Name, fixed, batch)
	}
	key.batch = batch
	params := p.reader.Params(batch)
	for _, param := range params {
		key.columns += param.Shape.String()
	}
	found, ok := m.programs[key]
	if !ok {
		b := &programBuilder{model: m, kind: p.kind, source: p.source, batch: batch, read: len(params)}
		compiled := m.compiled
		params = append(params, b.params()...)
		err := m.Lock.Released(func() (err error) { // layers and maps may be the user's
			compile := engine.Compile
			if m.Seeded && p.kind == train {
				compile = engine.CompileDeterministic
			}
			found, err = compile(p.device, fmt.Sprintf("%s-%d", m.Name, p.kind), params, b.build)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("model %q: %w", m.Name, forBatch(err, batch))
		}
		if m.compiled != compiled || m.trainedKey() != key.trained {
			return nil, fmt.Errorf("model %q was compiled anew, or its layers frozen or set free, while it was used", m.Name)
		}
		m.keep(key, found)
		m.tellDropped(b.dropped)
	}
	p.bySize[batch] = found
	return found, nil
}

// Programs is how many programs for Trace there are, and how many others.
func (m *Model) Programs() (traces, others int) {
	m.Lock.Lock()
	defer m.Lock.Unlock()
	for key := range m.programs {
		if key.kind == trace {
			traces++
		} else {
			others++
		}
	}
	return traces, others
}

// fixedBatch is the batch size of stateful layers; 0 if there are none.
func (m *Model) fixedBatch() int {
	for _, w := range m.Weights {
		if w.State {
			return w.Shape.Dimensions[0]
		}
	}
	return 0
}

// tellDropped says, once for each layer of a model, that a mask ends there.
func (m *Model) tellDropped(layers []string) {
	for _, l := range layers {
		if m.told[l] {
			continue
		}
		if m.told == nil {
			m.told = make(map[string]bool)
		}
		m.told[l] = true
		fmt.Fprintf(os.Stderr, "dl: model %q: layer %q does not pass the mask of its input on: from there on, steps that are masked count as others do\n", m.Name, l)
	}
}

// keep keeps a program for batches to come. A loop over ever new maps or shapes must not
// fill the memory.
func (m *Model) keep(key programKey, p *engine.Program) {
	if len(m.programs) >= maxPrograms {
		clear(m.programs)
	}
	m.programs[key] = p
}

type programBuilder struct {
	model  *Model
	kind   programKind
	source *source.Source
	batch  int
	read   int // parameters of the reader

	dropped []string // layers that do not pass a mask on
}

// measures says whether the program has sums of what it measures.
func (b *programBuilder) measures() bool { return b.kind == train || b.kind == evaluate }

func (b *programBuilder) params() []engine.Param {
	m, training := b.model, b.kind == train
	var params []engine.Param
	if training {
		params = append(params, engine.Param{Name: "rate", Shape: scalarFloat})
		if mpi.Together() {
			params = append(params, engine.Param{Name: "share", Shape: scalarFloat})
		}
		if m.compiled.Privacy != nil {
			params = append(params, engine.Param{Name: "count", Shape: scalarFloat}, engine.Param{Name: "due", Shape: scalarFloat},
				engine.Param{Name: "noise", Shape: m.noiseShape()})
		}
	}
	if b.measures() {
		params = append(params, engine.Param{Name: "sums", Shape: m.compiled.sumsShape(), Donated: true})
	}
	if training {
		params = append(params, engine.Param{Name: "iteration", Shape: scalarFloat, Donated: true})
	}
	params = append(params, engine.Param{Name: "random", Shape: graph.RNGStateShape, Donated: true})
	for _, w := range m.Weights {
		params = append(params, engine.Param{Name: w.Name, Shape: w.Stored(), Donated: training || w.State})
	}
	if training {
		for _, s := range m.state() {
			params = append(params, engine.Param{Name: s.Name, Shape: s.Shape, Donated: true})
		}
	}
	return params
}

func (b *programBuilder) build(in []*graph.Node) []*graph.Node {
	next := func() *graph.Node {
		n := in[0]
		in = in[1:]
		return n
	}
	take := func(n int) []*graph.Node {
		nodes := in[:n]
		in = in[n:]
		return nodes
	}
	m := b.model
	batch, moved := b.source.ReadBatch(take(b.read), b.batch)
	var rate, share, sums, iteration, random *graph.Node
	if b.kind == train {
		rate = next()
		if mpi.Together() {
			share = next()
		}
	}
	var private *privateNodes
	if b.kind == train && m.compiled.Privacy != nil {
		private = &privateNodes{count: next(), due: next(), noise: next()}
	}
	if b.measures() {
		sums = next()
	}
	if b.kind == train {
		iteration = next()
	}
	random = next()
	weights := take(len(m.Weights))
	state := in

	if b.kind == ranges {
		f, all := m.watched(weights, batch.X, random)
		return append([]*graph.Node{moved, all, f.Pass.Random}, m.Carried(f)...)
	}
	if b.kind == predict {
		f := m.Forward(weights, batch.X, random, false)
		b.dropped = f.Pass.Dropped
		out := []*graph.Node{moved}
		for _, y := range f.Outputs(m.Network) {
			out = append(out, graph.ConvertDType(y, dtypes.Float32))
		}
		return append(append(out, f.Pass.Random), m.Carried(f)...)
	}
	if share != nil {
		mpi.SetShare(share)
		random = apartBy(random, false)
	}
	u := &updater{model: m, rate: rate, weights: weights, state: state, share: share, private: private}
	s := &Step{X: batch.X, Y: batch.Y, W: batch.W, Training: b.kind == train, model: m, updater: u, random: random}
	s.run()
	b.dropped = s.flow.Pass.Dropped
	sums = graph.Add(sums, u.counted(s.sums))
	if b.kind == evaluate {
		return append([]*graph.Node{moved, sums, s.flow.Pass.Random}, m.Carried(s.flow)...)
	}
	return append([]*graph.Node{moved}, s.trained(sums, iteration)...)
}

// trained are the outputs of a training step behind the offset.
func (s *Step) trained(sums, iteration *graph.Node) []*graph.Node {
	u := s.updater
	u.micro = graph.AddScalar(iteration, 1.0)
	counted := u.micro
	if u.private != nil {
		counted = graph.Add(iteration, u.private.due)
	}
	weights, state := u.step(s.loss, s.flow)
	random := s.flow.Pass.Random
	if u.share != nil {
		random = apartBy(random, true)
	}
	return append(append([]*graph.Node{sums, counted, random}, weights...), state...)
}

// carry takes them from a program that has run.
func (m *Model) carry(d *device.Device, out []compute.Buffer) {
	i := 0
	for _, w := range m.Weights {
		if w.State {
			w.Put(d, out[i])
			i++
		}
	}
}
