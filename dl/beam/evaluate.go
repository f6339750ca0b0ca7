package beam

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	beam.RegisterType(reflect.TypeFor[Measures]())
	register.DoFn4x1[context.Context, beam.Window, Example, func(Measures), error](&evaluateFn{})
	register.Emitter1[Measures]()
	register.Combiner1[Measures](&measuresFn{})
}

// Measures are what a model is told by its loss and its metrics, as means over examples.
type Measures struct {
	Names    []string
	Means    []float64
	Examples int64
}

// Mean is a measure by its name: "loss". It is false if there is none of that name.
func (m Measures) Mean(name string) (float64, bool) {
	if i := slices.Index(m.Names, name); i >= 0 {
		return m.Means[i], true
	}
	return 0, false
}

// Evaluate measures a compiled model on labelled examples, as Model.Evaluate does: a PCollection of
// one Measures. Metrics that are no means over examples, such as AUC, are refused, since they cannot
// be put together of those of parts.
func Evaluate(s beam.Scope, model string, examples beam.PCollection, config ...Config) beam.PCollection {
	s = s.Scope("dl.Evaluate")
	wantExamples(examples)
	return beam.Combine(s, &measuresFn{}, beam.ParDo(s, &evaluateFn{Model: model, Batch: batchOf(config)}, examples))
}

// evaluateFn measures batches of a bundle.
type evaluateFn struct {
	Model string
	Batch int

	model   *dl.Model
	waiting []Example
}

// Setup loads the model.
func (f *evaluateFn) Setup(ctx context.Context) error {
	m, err := single(ctx, f.Model)
	if err != nil {
		return err
	}
	f.model = m
	return means(m)
}

// StartBundle forgets what a bundle that failed has left.
func (f *evaluateFn) StartBundle(context.Context, func(Measures)) error {
	f.waiting = f.waiting[:0]
	return nil
}

// ProcessElement measures a batch when it is full.
func (f *evaluateFn) ProcessElement(ctx context.Context, w beam.Window, e Example, emit func(Measures)) error {
	if err := global(w); err != nil {
		return err
	}
	if len(f.waiting) > 0 && (len(e.X) != len(f.waiting[0].X) || len(e.Y) != len(f.waiting[0].Y)) {
		return fmt.Errorf("dl/beam: example %q: expected %d numbers and a label of %d, as of others, got %d and %d", e.Key, len(f.waiting[0].X), len(f.waiting[0].Y), len(e.X), len(e.Y))
	}
	if len(e.Y) == 0 {
		return fmt.Errorf("dl/beam: example %q: expected a label to evaluate, got none", e.Key)
	}
	f.waiting = append(f.waiting, e)
	if len(f.waiting) < f.Batch {
		return nil
	}
	return f.measure(ctx, emit)
}

// FinishBundle measures what is left.
func (f *evaluateFn) FinishBundle(ctx context.Context, emit func(Measures)) error {
	return f.measure(ctx, emit)
}

func (f *evaluateFn) measure(ctx context.Context, emit func(Measures)) error {
	n := len(f.waiting)
	if n == 0 {
		return nil
	}
	var x, y []float32
	for _, e := range f.waiting {
		x, y = append(x, e.X...), append(y, e.Y...)
	}
	shape := append([]int{n}, f.model.InputShape()...)
	size := 1
	for _, d := range shape {
		size *= d
	}
	if size != len(x) {
		return fmt.Errorf("dl/beam: expected examples of shape %v, got %d numbers", f.model.InputShape(), len(x)/n)
	}
	label := []int{n}
	if width := len(y) / n; width > 1 {
		label = append(label, width)
	}
	ds, err := data.New(tensor.New(x, shape...), tensor.New(y, label...))
	if err != nil {
		return err
	}
	logs, err := f.model.Evaluate(ctx, ds, dl.EvaluateConfig{BatchSize: n})
	if err != nil {
		return err
	}
	out := Measures{Examples: int64(n)}
	for name := range logs {
		out.Names = append(out.Names, name)
	}
	slices.Sort(out.Names)
	for _, name := range out.Names {
		out.Means = append(out.Means, logs[name])
	}
	emit(out)
	f.waiting = f.waiting[:0]
	return nil
}

// measuresFn puts measures of parts together.
type measuresFn struct{}

// MergeAccumulators is the mean of two parts, weighted by their examples.
func (*measuresFn) MergeAccumulators(a, b Measures) Measures {
	if a.Examples == 0 {
		return b
	}
	if b.Examples == 0 {
		return a
	}
	out := Measures{Names: a.Names, Means: slices.Clone(a.Means), Examples: a.Examples + b.Examples}
	for i := range out.Means {
		out.Means[i] += (b.Means[i] - a.Means[i]) * float64(b.Examples) / float64(out.Examples)
	}
	return out
}

// means wants a compiled model whose metrics are means over examples.
func means(m *dl.Model) error {
	name, ok := train.Of(m).NoMean()
	switch {
	case !ok:
		return fmt.Errorf("dl/beam: model %q: expected one that is compiled, to evaluate it", m.Name())
	case name != "":
		return fmt.Errorf("dl/beam: metric %q is no mean over examples, and cannot be put together of parts; evaluate predictions instead", name)
	}
	return nil
}
