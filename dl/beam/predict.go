package beam

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/window"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	register.DoFn4x1[context.Context, beam.Window, Example, func(Prediction), error](&predictFn{})
	register.Emitter1[Prediction]()
}

// Config says how examples are computed; what is not given has the value that stands with it.
type Config struct {
	// Batch is how many examples are computed together (256), which a worker holds in memory.
	Batch int
}

func batchOf(config []Config) int {
	if len(config) > 1 {
		panic(fmt.Sprintf("dl/beam: expected at most one Config, got %d", len(config)))
	}
	if len(config) == 0 || config[0].Batch == 0 {
		return 256
	}
	if config[0].Batch < 0 {
		panic(fmt.Sprintf("dl/beam: expected a Batch of at least 1, got %d", config[0].Batch))
	}
	return config[0].Batch
}

// Predict returns what a model makes of examples: a PCollection of Prediction. model is the path of
// a file (.keras, .onnx) that workers can read. It panics, as Beam does while a pipeline is made,
// for anything but a PCollection of Example.
func Predict(s beam.Scope, model string, examples beam.PCollection, config ...Config) beam.PCollection {
	s = s.Scope("dl.Predict")
	wantExamples(examples)
	return beam.ParDo(s, &predictFn{Model: model, Batch: batchOf(config)}, examples)
}

// Features is Predict of a layer inside the model, by its name: what a classifier knows of an image
// before it decides.
func Features(s beam.Scope, model, layer string, examples beam.PCollection, config ...Config) beam.PCollection {
	s = s.Scope("dl.Features")
	wantExamples(examples)
	return beam.ParDo(s, &predictFn{Model: model, Layer: layer, Batch: batchOf(config)}, examples)
}

// wantExamples checks an input.
func wantExamples(c beam.PCollection) {
	if t := c.Type().Type(); t != reflect.TypeFor[Example]() {
		panic(fmt.Sprintf("dl/beam: expected a PCollection of Example, got one of %v", t))
	}
}

// global checks an element's window: batches are made across elements, which is right if all are in
// the one that is always open.
func global(w beam.Window) error {
	if _, ok := w.(window.GlobalWindow); !ok {
		return fmt.Errorf("dl/beam: expected elements in the global window, since batches are made across them, got %v", w)
	}
	return nil
}

// predictFn computes batches of a bundle.
type predictFn struct {
	Model, Layer string
	Batch        int

	model   *dl.Model
	size    int // of an example
	shape   []int
	waiting []Example
}

// Setup loads the model.
func (f *predictFn) Setup(ctx context.Context) error {
	m, err := single(ctx, f.Model)
	if err != nil {
		return err
	}
	if f.Layer != "" {
		if m, err = upTo(m, f.Layer); err != nil {
			return err
		}
	}
	f.model, f.shape, f.size = m, m.InputShape(), 1
	for _, d := range f.shape {
		f.size *= d
	}
	return nil
}

// upTo is a model that ends at one of its layers.
func upTo(m *dl.Model, name string) (*dl.Model, error) {
	l, err := m.Layer(name)
	if err != nil {
		return nil, err
	}
	return dl.Functional(m.Inputs(), []*dl.Symbol{l.Output()})
}

// StartBundle forgets what a bundle that failed has left.
func (f *predictFn) StartBundle(context.Context, func(Prediction)) error {
	f.waiting = f.waiting[:0]
	return nil
}

// ProcessElement computes a batch when it is full.
func (f *predictFn) ProcessElement(_ context.Context, w beam.Window, e Example, emit func(Prediction)) error {
	if err := global(w); err != nil {
		return err
	}
	if len(e.X) != f.size {
		return fmt.Errorf("dl/beam: example %q: expected %d numbers of shape %v, got %d", e.Key, f.size, f.shape, len(e.X))
	}
	f.waiting = append(f.waiting, e)
	if len(f.waiting) < f.Batch {
		return nil
	}
	return f.compute(emit)
}

// FinishBundle computes what is left.
func (f *predictFn) FinishBundle(_ context.Context, emit func(Prediction)) error {
	return f.compute(emit)
}

func (f *predictFn) compute(emit func(Prediction)) error {
	if len(f.waiting) == 0 {
		return nil
	}
	// One size of batches, so that one program is compiled.
	flat := make([]float32, f.Batch*f.size)
	for i, e := range f.waiting {
		copy(flat[i*f.size:], e.X)
	}
	out, err := f.model.PredictOnBatch(tensor.New(flat, append([]int{f.Batch}, f.shape...)...))
	if err != nil {
		return err
	}
	y, err := tensor.Flat[float32](out[0])
	if err != nil {
		return err
	}
	if len(y)%f.Batch != 0 {
		return errors.New("dl/beam: the model's output does not have the batch as its first axis")
	}
	width := len(y) / f.Batch
	for i, e := range f.waiting {
		emit(Prediction{e.Key, y[i*width : (i+1)*width : (i+1)*width]})
	}
	f.waiting = f.waiting[:0]
	return nil
}
