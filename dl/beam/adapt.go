package beam

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/transforms/stats"

	"github.com/gradbook/gradbook/dl/layers"
)

func init() {
	beam.RegisterType(reflect.TypeFor[Moments]())
	beam.RegisterType(reflect.TypeFor[Words]())
	beam.RegisterType(reflect.TypeFor[counted]())
	register.Combiner2[Moments, Example](&momentsFn{})
	register.Combiner2[Words, counted](&wordsFn{})
	register.Function2x1(countedOf)
	register.DoFn2x1[context.Context, []byte, error](&writeFn{})
	register.Function1x2(momentsJSON)
	register.Function1x2(wordsJSON)
	register.Function1x2(measuresJSON)
}

// Moments are the mean and the variance of each feature, which layers.Normalization is made of.
type Moments struct {
	Mean, Variance []float64
	Examples       int64
}

// Layer is the layer that Keras's adapt makes of them.
func (m Moments) Layer() layers.Normalization {
	return layers.Normalization{Mean: m.Mean, Variance: m.Variance}
}

// Adapt computes the moments of examples, whose last axis is features: a PCollection of one Moments.
//
// Source: https://keras.io/api/layers/preprocessing_layers/numerical/normalization/, Chan's formula
// for moments of parts.
func Adapt(s beam.Scope, features int, examples beam.PCollection) beam.PCollection {
	s = s.Scope("dl.Adapt")
	if features < 1 {
		panic(fmt.Sprintf("dl/beam: expected at least one feature, got %d", features))
	}
	if t := examples.Type().Type(); t != reflect.TypeFor[Example]() {
		panic(fmt.Sprintf("dl/beam: expected a PCollection of Example, got one of %v", t))
	}
	return beam.Combine(s, &momentsFn{Features: features}, examples)
}

// momentsFn has sums of squares in place of variances until the end.
type momentsFn struct{ Features int }

// CreateAccumulator begins with nothing.
func (f *momentsFn) CreateAccumulator() Moments {
	return Moments{Mean: make([]float64, f.Features), Variance: make([]float64, f.Features)}
}

// AddInput adds an example, each of whose rows counts.
func (f *momentsFn) AddInput(m Moments, e Example) Moments {
	if len(e.X)%f.Features != 0 {
		panic(fmt.Sprintf("dl/beam: example %q: expected rows of %d features, got %d numbers", e.Key, f.Features, len(e.X)))
	}
	for row := range slices.Chunk(e.X, f.Features) {
		m.Examples++
		for i, v := range row {
			d := float64(v) - m.Mean[i]
			m.Mean[i] += d / float64(m.Examples)
			m.Variance[i] += d * (float64(v) - m.Mean[i])
		}
	}
	return m
}

// MergeAccumulators puts parts together.
func (f *momentsFn) MergeAccumulators(a, b Moments) Moments {
	if a.Examples == 0 {
		return b
	}
	if b.Examples == 0 {
		return a
	}
	out := Moments{Mean: slices.Clone(a.Mean), Variance: slices.Clone(a.Variance), Examples: a.Examples + b.Examples}
	part := float64(b.Examples) / float64(out.Examples)
	for i := range out.Mean {
		d := b.Mean[i] - a.Mean[i]
		out.Mean[i] += d * part
		out.Variance[i] += b.Variance[i] + d*d*float64(a.Examples)*part
	}
	return out
}

// ExtractOutput makes variances of sums.
func (f *momentsFn) ExtractOutput(m Moments) Moments {
	out := Moments{Mean: m.Mean, Variance: make([]float64, len(m.Variance)), Examples: m.Examples}
	for i, v := range m.Variance {
		out.Variance[i] = v / float64(max(1, m.Examples))
	}
	return out
}

// Words is a vocabulary, the most frequent word first, which layers.StringLookup is made of.
type Words struct {
	Words  []string
	Counts []int64
}

// counted is a word with how often there was one.
type counted struct {
	Word  string
	Count int64
}

func countedOf(word string, count int) counted { return counted{word, int64(count)} }

// Vocabulary finds the most frequent of words, at most so many: a PCollection of one Words. Of words
// that are as frequent, those that come first in the alphabet are first, as in Keras's adapt.
func Vocabulary(s beam.Scope, most int, words beam.PCollection) beam.PCollection {
	s = s.Scope("dl.Vocabulary")
	if most < 1 {
		panic(fmt.Sprintf("dl/beam: expected a vocabulary of at least one word, got %d", most))
	}
	if t := words.Type().Type(); t.Kind() != reflect.String {
		panic(fmt.Sprintf("dl/beam: expected a PCollection of string, got one of %v", t))
	}
	return beam.Combine(s, &wordsFn{Most: most}, beam.ParDo(s, countedOf, stats.Count(s, words)))
}

type wordsFn struct{ Most int }

// CreateAccumulator begins with nothing.
func (f *wordsFn) CreateAccumulator() Words { return Words{} }

// AddInput adds a word. Twice as many are kept as are wanted, so that they are rarely sorted.
func (f *wordsFn) AddInput(w Words, c counted) Words {
	w.Words, w.Counts = append(w.Words, c.Word), append(w.Counts, c.Count)
	if len(w.Words) >= 2*f.Most {
		return f.ExtractOutput(w)
	}
	return w
}

// MergeAccumulators puts parts together, each of which has words that the others lack.
func (f *wordsFn) MergeAccumulators(a, b Words) Words {
	return f.ExtractOutput(Words{slices.Concat(a.Words, b.Words), slices.Concat(a.Counts, b.Counts)})
}

// ExtractOutput sorts, and keeps the most frequent.
func (f *wordsFn) ExtractOutput(w Words) Words {
	all := make([]counted, len(w.Words))
	for i := range all {
		all[i] = counted{w.Words[i], w.Counts[i]}
	}
	slices.SortFunc(all, func(a, b counted) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Word, b.Word)) })
	all = all[:min(len(all), f.Most)]
	out := Words{}
	for _, c := range all {
		out.Words, out.Counts = append(out.Words, c.Word), append(out.Counts, c.Count)
	}
	return out
}

func momentsJSON(m Moments) ([]byte, error)   { return json.MarshalIndent(m, "", "\t") }
func wordsJSON(w Words) ([]byte, error)       { return json.MarshalIndent(w, "", "\t") }
func measuresJSON(m Measures) ([]byte, error) { return json.MarshalIndent(m, "", "\t") }

// Write writes what Adapt, Vocabulary or Evaluate found as JSON, to a file of one of Beam's file
// systems, when the pipeline runs.
func Write(s beam.Scope, path string, found beam.PCollection) {
	s = s.Scope("dl.Write")
	var text beam.PCollection
	switch found.Type().Type() {
	case reflect.TypeFor[Moments]():
		text = beam.ParDo(s, momentsJSON, found)
	case reflect.TypeFor[Words]():
		text = beam.ParDo(s, wordsJSON, found)
	case reflect.TypeFor[Measures]():
		text = beam.ParDo(s, measuresJSON, found)
	default:
		panic(fmt.Sprintf("dl/beam: expected what Adapt, Vocabulary or Evaluate found, got %v", found.Type()))
	}
	beam.ParDo0(s, &writeFn{Path: path}, text)
}

type writeFn struct{ Path string }

// ProcessElement writes the file.
func (f *writeFn) ProcessElement(ctx context.Context, text []byte) error {
	fs, err := filesystem.New(ctx, f.Path)
	if err != nil {
		return err
	}
	defer func() { _ = fs.Close() }()
	w, err := fs.OpenWrite(ctx, f.Path)
	if err != nil {
		return err
	}
	if _, err := w.Write(append(text, '\n')); err != nil {
		_ = w.Close()
		return err
	}
	return w.Close()
}
