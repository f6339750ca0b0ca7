package dl

import (
	"fmt"
	"math/bits"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/source"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// A programKind is one of the executables that do a whole batch on the device. It reads
// its examples, runs the model and, in training, changes the weights. Its
// inputs are, in this order:
//
//	columns   x and, if there are labels, y: the whole dataset
//	order     the rows to read, in order: int32 [n], filled up to a power of two
//	rate      the learning rate (train): float32
//	offset    where in order the batch begins: int32, moved on
//	sums      for each metric and the loss the sum over examples: float32 [k]
//	iteration the optimizer's steps so far (train): float32
//	random    the state of the generator (train)
//	weights
//	slots     the optimizer's (train)
//
// From offset on (without the weights where they do not change) they are
// donated and come back as outputs, so a loop over batches waits for nothing
// and copies nothing. Predicting has outputs instead of sums.
type programKind int

const (
	train programKind = iota
	evaluate
	predict
)

// programKey says which batches a program is good for.
type programKey struct {
	kind    programKind
	on      *device.Device
	batch   int
	x, y    string
	n       int
	mapping *source.Pipeline
}

// maxPrograms is how many programs a model keeps.
const maxPrograms = 32

// orderSize is the size of an order of n rows: views of nearly the same length
// share a program.
func orderSize(n int) int { return 1 << bits.Len(uint(max(n-1, 0))) }

var scalarInt, scalarFloat = shapes.Make(dtypes.Int32), shapes.Make(dtypes.Float32)

// program returns the program for batches of a size, compiled the first time.
func (m *Model) program(kind programKind, d *device.Device, s *source.Source, batch int) (*engine.Program, error) {
	key := programKey{kind: kind, on: d, batch: batch, x: s.X.Shape.String(), n: orderSize(len(s.Rows)), mapping: s.Steps}
	if s.Y != nil {
		key.y = s.Y.Shape.String()
	}
	if p, ok := m.programs[key]; ok {
		return p, nil
	}
	if len(m.programs) >= maxPrograms {
		clear(m.programs) // a loop over ever new maps must not fill the memory
	}
	b := &programBuilder{model: m, kind: kind, source: s, batch: batch}
	p, err := engine.Compile(d, fmt.Sprintf("%s-%d", m.name, kind), b.params(), b.build)
	if err != nil {
		return nil, fmt.Errorf("model %q: %w", m.name, err)
	}
	m.programs[key] = p
	return p, nil
}

type programBuilder struct {
	model  *Model
	kind   programKind
	source *source.Source
	batch  int
}

func (b *programBuilder) params() []engine.Param {
	m, training := b.model, b.kind == train
	params := []engine.Param{{Name: "x", Shape: b.source.X.Shape}}
	if b.source.Y != nil {
		params = append(params, engine.Param{Name: "y", Shape: b.source.Y.Shape})
	}
	params = append(params, engine.Param{Name: "order", Shape: shapes.Make(dtypes.Int32, orderSize(len(b.source.Rows)))})
	if training {
		params = append(params, engine.Param{Name: "rate", Shape: scalarFloat})
	}
	params = append(params, engine.Param{Name: "offset", Shape: scalarInt, Donated: true})
	if b.kind != predict {
		params = append(params, engine.Param{Name: "sums", Shape: m.sumsShape(), Donated: true})
	}
	if training {
		params = append(params,
			engine.Param{Name: "iteration", Shape: scalarFloat, Donated: true},
			engine.Param{Name: "random", Shape: graph.RNGStateShape, Donated: true})
	}
	for _, w := range m.weights {
		params = append(params, engine.Param{Name: w.name, Shape: w.shape, Donated: training})
	}
	if training {
		for _, s := range m.compiled.slots {
			params = append(params, engine.Param{Name: s.name, Shape: s.shape, Donated: true})
		}
	}
	return params
}

func (m *Model) sumsShape() shapes.Shape {
	return shapes.Make(dtypes.Float32, len(m.compiled.Metrics)+1)
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
	var y, rate, sums, iteration, random *graph.Node
	x := next()
	if b.source.Y != nil {
		y = next()
	}
	order := next()
	if b.kind == train {
		rate = next()
	}
	offset := next()
	if b.kind != predict {
		sums = next()
	}
	if b.kind == train {
		iteration, random = next(), next()
	}
	weights := take(len(m.weights))
	slots := in

	// A DynamicSlice would say it in one word, but the pure-Go backend has none.
	places := graph.Add(graph.Iota(offset.Graph(), shapes.Make(dtypes.Int32, b.batch, 1), 0), offset)
	index := graph.Gather(order, places)
	x, y = b.source.Batch(x, y, index)
	moved := graph.AddScalar(offset, b.batch)
	f := m.forward(weights, x, random, b.kind == train)
	if b.kind == predict {
		return []*graph.Node{moved, f.output}
	}
	loss, values := m.measure(f, y)
	sums = graph.Add(sums, graph.MulScalar(graph.Stack(values, 0), float64(b.batch)))
	if b.kind == evaluate {
		return []*graph.Node{moved, sums}
	}
	iteration = graph.AddScalar(iteration, 1.0)
	weights, slots = m.update(optimizers.Step{Iteration: iteration, LearningRate: rate}, loss, f, weights, slots)
	out := []*graph.Node{moved, sums, iteration, f.pass.RandomState()}
	return append(append(out, weights...), slots...)
}

// forward is a model's way through a graph.
type forward struct {
	pass    *layers.Pass
	output  *graph.Node
	updates map[*variable]*graph.Node
}

// forward runs x, [batch, …], through the layers. weights are those of
// Model.weights.
func (m *Model) forward(weights []*graph.Node, x, random *graph.Node, training bool) *forward {
	f := &forward{pass: layers.NewPass(training, random), updates: make(map[*variable]*graph.Node)}
	node := make(map[*variable]*graph.Node, len(weights))
	for i, v := range m.weights {
		node[v] = weights[i]
	}
	for _, l := range m.layers {
		byName := make(map[string]*graph.Node, len(l.weights))
		for i, w := range l.spec.Weights {
			byName[w.Name] = node[l.weights[i]]
		}
		c := f.pass.Layer(l.name, byName)
		err := engine.Try(func() error {
			x = l.Call(c, x)
			return nil
		})
		if err != nil {
			panic(fmt.Errorf("layer %q (%s): %w", l.name, typeName(l.Layer), err))
		}
		if got := layers.Shape(x.Shape().Dimensions[1:]); !got.Equal(l.spec.Output) {
			panic(fmt.Errorf("layer %q (%s): expected output of shape %v as its Build said, got %v from its Call", l.name, typeName(l.Layer), l.spec.Output, got))
		}
		for i, w := range l.spec.Weights {
			if u, ok := c.Updates()[w.Name]; ok {
				f.updates[l.weights[i]] = u
			}
		}
	}
	f.output = x
	return f
}

// measure returns the mean loss of a batch, and the means of all metrics, the
// loss last.
func (m *Model) measure(f *forward, y *graph.Node) (loss *graph.Node, values []*graph.Node) {
	c := m.compiled
	l, output := c.Loss, f.output
	if from, ok := l.(losses.FromLogits); ok {
		if logits, ok := f.pass.Logits(output); ok {
			if better, ok := from.OfLogits(logits.Activation); ok {
				l, output = better, logits.Node
			}
		}
	}
	loss = graph.ReduceAllMean(l.Compute(y, output))
	for _, metric := range c.Metrics {
		values = append(values, graph.ReduceAllMean(metric.Compute(y, f.output)))
	}
	return loss, append(values, loss)
}

// update returns the weights and slots after a step down the loss's gradient.
func (m *Model) update(s optimizers.Step, loss *graph.Node, f *forward, weights, slots []*graph.Node) (nextWeights, nextSlots []*graph.Node) {
	var trained []*graph.Node
	for i, v := range m.weights {
		if v.trainable {
			trained = append(trained, weights[i])
		}
	}
	gradients := graph.Gradient(loss, trained...)
	perWeight := len(m.compiled.Optimizer.Slots())
	for i, v := range m.weights {
		next := weights[i]
		if v.trainable {
			var changed []*graph.Node
			next, changed = m.compiled.Optimizer.Apply(s, weights[i], gradients[0], slots[:perWeight])
			gradients, slots, nextSlots = gradients[1:], slots[perWeight:], append(nextSlots, changed...)
		} else if u, ok := f.updates[v]; ok {
			next = u
		}
		nextWeights = append(nextWeights, next)
	}
	return nextWeights, nextSlots
}
