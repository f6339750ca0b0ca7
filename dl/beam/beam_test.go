package beam_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/passert"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	dlbeam "github.com/gradbook/gradbook/dl/beam"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	register.Function2x0(checkPrediction)
	register.Emitter1[string]()
	beam.RegisterType(reflect.TypeFor[dlbeam.Example]())
}

func TestMain(m *testing.M) { ptest.MainWithDefault(m, "prism") }

// classifier is a compiled model in a file, with examples and what it makes of them.
func classifier(t *testing.T, metric ...metrics.Metric) (path string, m *dl.Model, examples []dlbeam.Example) {
	t.Helper()
	dl.SetRandomSeed(2)
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{6}}, layers.Dense{Units: 8, Activation: activations.Tanh, Name: "inner"}, layers.Dense{Units: 3, Activation: activations.Softmax})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Compile(dl.CompileConfig{Loss: losses.SparseCategoricalCrossentropy{}, Metrics: metric}); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "m.keras")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 700 {
		e := dlbeam.Example{Key: fmt.Sprint(i), X: make([]float32, 6), Y: []float32{float32(r.IntN(3))}}
		for k := range e.X {
			e.X[k] = float32(r.NormFloat64())
		}
		examples = append(examples, e)
	}
	return path, m, examples
}

func table(t *testing.T, examples []dlbeam.Example) *data.Dataset {
	t.Helper()
	var x, y []float32
	for _, e := range examples {
		x, y = append(x, e.X...), append(y, e.Y...)
	}
	ds, err := data.New(tensor.New(x, len(examples), 6), tensor.New(y, len(examples)))
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func flat(t *testing.T, x *tensor.Tensor) []float32 {
	t.Helper()
	v, err := tensor.Flat[float32](x)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// wanted is what checkPrediction wants, by keys; tests run one after the other.
var wanted map[string][]float32

func checkPrediction(p dlbeam.Prediction, emit func(string)) {
	want := wanted[p.Key]
	if len(want) != len(p.Y) {
		emit(fmt.Sprintf("%s: got %d numbers, want %d", p.Key, len(p.Y), len(want)))
		return
	}
	for i := range want {
		if math.Abs(float64(want[i]-p.Y[i])) > 1e-6 {
			emit(fmt.Sprintf("%s: got %v, want %v", p.Key, p.Y, want))
			return
		}
	}
}

func TestPredict(t *testing.T) {
	path, m, examples := classifier(t)
	inner, err := m.Layer("inner")
	if err != nil {
		t.Fatal(err)
	}
	features, err := dl.Functional(m.Inputs(), []*dl.Symbol{inner.Output()})
	if err != nil {
		t.Fatal(err)
	}
	for name, model := range map[string]*dl.Model{"Predict": m, "Features": features} {
		out, err := model.Predict(context.Background(), table(t, examples))
		if err != nil {
			t.Fatal(err)
		}
		y := flat(t, out)
		wanted = make(map[string][]float32)
		for i, e := range examples {
			width := len(y) / len(examples)
			wanted[e.Key] = y[i*width : (i+1)*width]
		}
		p, s := beam.NewPipelineWithRoot()
		in := beam.Reshuffle(s, beam.CreateList(s, examples))
		var got beam.PCollection
		if name == "Predict" {
			got = dlbeam.Predict(s, path, in, dlbeam.Config{Batch: 64})
		} else {
			got = dlbeam.Features(s, path, "inner", in, dlbeam.Config{Batch: 64})
		}
		passert.Count(s, got, "predictions", len(examples))
		passert.Empty(s, beam.ParDo(s, checkPrediction, got))
		ptest.RunAndValidate(t, p)
	}
}

func TestEvaluate(t *testing.T) {
	path, m, examples := classifier(t, metrics.Accuracy{})
	want, err := m.Evaluate(context.Background(), table(t, examples))
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "measures.json")
	p, s := beam.NewPipelineWithRoot()
	dlbeam.Write(s, to, dlbeam.Evaluate(s, path, beam.Reshuffle(s, beam.CreateList(s, examples)), dlbeam.Config{Batch: 100}))
	ptest.RunAndValidate(t, p)
	var got dlbeam.Measures
	readJSON(t, to, &got)
	if got.Examples != int64(len(examples)) || len(got.Names) != len(want) {
		t.Errorf("got %+v, want %v of %d examples", got, want, len(examples))
	}
	for name, v := range want {
		if mean, ok := got.Mean(name); !ok || math.Abs(mean-v) > 1e-5 {
			t.Errorf("%s: got %v, want %v", name, mean, v)
		}
	}
}

func readJSON(t *testing.T, path string, to any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatal(err)
	}
}

func TestAdapt(t *testing.T) {
	_, _, examples := classifier(t)
	dir := t.TempDir()
	p, s := beam.NewPipelineWithRoot()
	dlbeam.Write(s, filepath.Join(dir, "moments.json"), dlbeam.Adapt(s, 6, beam.Reshuffle(s, beam.CreateList(s, examples))))
	words := strings.Fields(strings.Repeat("the cat the dog the cat ", 5) + "ant bee ant bee zebra")
	dlbeam.Write(s, filepath.Join(dir, "words.json"), dlbeam.Vocabulary(s, 4, beam.Reshuffle(s, beam.CreateList(s, words))))
	ptest.RunAndValidate(t, p)
	var m dlbeam.Moments
	readJSON(t, filepath.Join(dir, "moments.json"), &m)
	for k := range 6 {
		var sum, squares float64
		for _, e := range examples {
			sum += float64(e.X[k])
		}
		mean := sum / float64(len(examples))
		for _, e := range examples {
			squares += (float64(e.X[k]) - mean) * (float64(e.X[k]) - mean)
		}
		if math.Abs(m.Mean[k]-mean) > 1e-9 || math.Abs(m.Variance[k]-squares/float64(len(examples))) > 1e-9 {
			t.Errorf("feature %d: got %v and %v, want %v and %v", k, m.Mean[k], m.Variance[k], mean, squares/float64(len(examples)))
		}
	}
	if l := m.Layer(); len(l.Mean) != 6 || len(l.Variance) != 6 {
		t.Errorf("got %+v", l)
	}
	var w dlbeam.Words
	readJSON(t, filepath.Join(dir, "words.json"), &w)
	if got := strings.Join(w.Words, " "); got != "the cat dog ant" || w.Counts[0] != 15 {
		t.Errorf("got %q, %v", got, w.Counts)
	}
}

// TestRefused has pipelines say what is wrong: when they are made, or when they run.
func TestRefused(t *testing.T) {
	path, _, examples := classifier(t, metrics.AUC{})
	run := func(name string, build func(s beam.Scope) beam.PCollection, want string) {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if r := recover(); r != nil && !strings.Contains(fmt.Sprint(r), want) {
					t.Errorf("expected %q, got %v", want, r)
				}
			}()
			p, s := beam.NewPipelineWithRoot()
			build(s)
			if err := ptest.Run(p); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("expected an error with %q, got %v", want, err)
			}
		})
	}
	run("no file", func(s beam.Scope) beam.PCollection {
		return dlbeam.Predict(s, "/nowhere/m.keras", beam.CreateList(s, examples))
	}, "/nowhere/m.keras")
	run("shape", func(s beam.Scope) beam.PCollection {
		return dlbeam.Predict(s, path, beam.CreateList(s, []dlbeam.Example{{Key: "k", X: []float32{1}}}))
	}, "expected 6 numbers")
	run("layer", func(s beam.Scope) beam.PCollection {
		return dlbeam.Features(s, path, "nothing", beam.CreateList(s, examples))
	}, "nothing")
	run("elements", func(s beam.Scope) beam.PCollection {
		return dlbeam.Predict(s, path, beam.Create(s, 1, 2))
	}, "PCollection of Example")
	run("AUC", func(s beam.Scope) beam.PCollection {
		return dlbeam.Evaluate(s, path, beam.CreateList(s, examples))
	}, "no mean over examples")
}
