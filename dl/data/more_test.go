package data_test

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/data"
)

// counting makes a stream of n examples.
func counting(t testing.TB, n int, reads *atomic.Int64) *data.Dataset {
	t.Helper()
	ds, err := data.FromGenerator(func() iter.Seq2[data.Example, error] {
		return func(yield func(data.Example, error) bool) {
			for i := range n {
				reads.Add(1)
				if !yield(data.Example{X: []float32{float32(i)}, Y: int32(i)}, nil) {
					return
				}
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func TestStreamOperations(t *testing.T) {
	var reads atomic.Int64
	ds := counting(t, 10, &reads)
	double, err := ds.MapExamples(4, func(e data.Example) (data.Example, error) {
		return data.Example{X: []float32{2 * e.X.([]float32)[0]}, Y: e.Y.([]int32)[0]}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		got  *data.Dataset
		want []int
		len  int
	}{
		{"whole", ds, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, -1},
		{"take", ds.Take(3), []int{0, 1, 2}, -1},
		{"skip", ds.Skip(7), []int{7, 8, 9}, -1},
		{"repeat", ds.Take(2).Repeat(2), []int{0, 1, 0, 1}, -1},
		{"without end", ds.Take(2).Repeat(0).Take(5), []int{0, 1, 0, 1, 0}, -1},
		{"filter", ds.Filter(func(e data.Example) bool { return e.Y.([]int32)[0]%3 == 0 }), []int{0, 3, 6, 9}, -1},
		{"ahead", ds.Prefetch(3), []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, -1},
		{"mapped in parallel", double.Skip(8), []int{8, 9}, -1},
		{"a table repeated", numbers(t, 2).Repeat(2), []int{0, 1, 0, 1}, 4},
	} {
		if got := labels(t, c.got); !slices.Equal(got, c.want) {
			t.Errorf("%s: expected %v, got %v", c.name, c.want, got)
		}
	}
	mixed := labels(t, ds.Shuffle(3))
	if slices.IsSorted(mixed) || len(mixed) != 10 {
		t.Errorf("expected another order, got %v", mixed)
	}
	if got := labels(t, ds.Shuffle(3)); !slices.Equal(got, mixed) {
		t.Errorf("expected the same order for the same seed, got %v and %v", mixed, got)
	}
	table, err := ds.Cache()
	if err != nil {
		t.Fatal(err)
	}
	reads.Store(0)
	if table.Len() != 10 || len(labels(t, table)) != 10 || reads.Load() != 0 {
		t.Errorf("expected a table of 10 that reads no more, got %d examples and %d reads", table.Len(), reads.Load())
	}
	for _, broken := range []*data.Dataset{ds.Select(1), ds.Window(2, 1), data.Zip(ds, ds), ds.WithWeights([]float32{1})} {
		if broken.Err() == nil {
			t.Errorf("expected an error, got %v", broken)
		}
	}
	if first, _ := ds.Split(0.5); first.Err() == nil {
		t.Error("splitting a stream: expected an error, got none")
	}
}

func TestStreamErrors(t *testing.T) {
	fails := errors.New("no more")
	var reads atomic.Int64
	_, err := counting(t, 3, &reads).MapExamples(2, func(data.Example) (data.Example, error) { return data.Example{}, fails })
	if !errors.Is(err, fails) {
		t.Errorf("expected the map's error, got %v", err)
	}
	ds, err := counting(t, 9, &reads).MapExamples(3, func(e data.Example) (data.Example, error) {
		if e.Y.([]int32)[0] == 5 {
			return e, fails
		}
		return data.Example{X: e.X, Y: e.Y}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for b, err := range ds.Batch(2).Prefetch(2).Batches() {
		if err != nil {
			if !errors.Is(err, fails) || n != 4 {
				t.Errorf("expected the map's error after 4 examples, got %v after %d", err, n)
			}
			break
		}
		n += b.X.Shape().Dimensions[0]
	}
	for name, e := range map[string]data.Example{"no input": {}, "text": {X: "hello"}, "bools": {X: []bool{true}}} {
		_, err := data.FromGenerator(func() iter.Seq2[data.Example, error] {
			return func(yield func(data.Example, error) bool) { yield(e, nil) }
		})
		if err == nil {
			t.Errorf("%s: expected an error, got none", name)
		}
	}
	if _, err := data.FromGenerator(func() iter.Seq2[data.Example, error] { return func(func(data.Example, error) bool) {} }); err == nil {
		t.Error("an empty generator: expected an error, got none")
	}
}

func TestWindows(t *testing.T) {
	rows := func(ds *data.Dataset) (all []string) {
		t.Helper()
		for b, err := range ds.Batch(100).Batches() {
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range b.X.Value().([][][]float32) {
				var v []float32
				for _, step := range x {
					v = append(v, step[0])
				}
				all = append(all, fmt.Sprint(v))
			}
		}
		return all
	}
	ds := numbers(t, 7)
	for name, c := range map[string]struct {
		ds   *data.Dataset
		want string
	}{
		"tiles":     {ds.Window(3, 0), "[0 1 2] [3 4 5]"},
		"overlap":   {ds.Window(3, 2), "[0 1 2] [2 3 4] [4 5 6]"},
		"of a view": {ds.Select(6, 5, 4, 3).Window(2, 1), "[6 5] [5 4] [4 3]"},
	} {
		if got := strings.Join(rows(c.ds), " "); got != c.want {
			t.Errorf("%s: expected %s, got %s", name, c.want, got)
		}
	}
	targets, err := data.FromSlices([]float32{10, 11, 12, 13, 14, 15, 16}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		config data.TimeSeriesConfig
		want   string
	}{
		"every step": {data.TimeSeriesConfig{SequenceLength: 3}, "[0 1 2] [1 2 3] [2 3 4] [3 4 5] [4 5 6]"},
		"strides":    {data.TimeSeriesConfig{SequenceLength: 3, SequenceStride: 2, SamplingRate: 2}, "[0 2 4] [2 4 6]"},
		"a part":     {data.TimeSeriesConfig{SequenceLength: 2, StartIndex: 2, EndIndex: 5}, "[2 3] [3 4]"},
	} {
		series, err := data.TimeSeries(ds, targets, c.config)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(rows(series), " "); got != c.want {
			t.Errorf("%s: expected %s, got %s", name, c.want, got)
		}
	}
	for _, c := range []data.TimeSeriesConfig{{}, {SequenceLength: 8}, {SequenceLength: 2, StartIndex: 7}, {SequenceLength: 2, SequenceStride: -1}} {
		if _, err := data.TimeSeries(ds, targets, c); err == nil {
			t.Errorf("%+v: expected an error, got none", c)
		}
	}
}

func TestZip(t *testing.T) {
	a, b := numbers(t, 4), numbers(t, 4).Map(data.Rescale(10))
	z := data.Zip(a.Shuffle(1), b.Shuffle(1)).WithWeights([]float32{1, 2, 3, 4}).Batch(4)
	for batch, err := range z.Batches() {
		if err != nil {
			t.Fatal(err)
		}
		if len(batch.Inputs) != 2 || len(batch.Labels) != 2 || batch.Weights == nil {
			t.Fatalf("expected two inputs, two labels and weights, got %+v", batch)
		}
		x, y := batch.Inputs[0].Value().([][]float32), batch.Inputs[1].Value().([][]float32)
		for i := range x {
			if y[i][0] != 10*x[i][0] {
				t.Errorf("expected the second ten times the first, got %v and %v", x, y)
			}
		}
		if got := fmt.Sprint(batch.Weights.Value()); got != "[1 2 3 4]" {
			t.Errorf("expected the weights in the order of the view, got %s", got)
		}
	}
	if err := data.Zip(a, numbers(t, 3)).Err(); err == nil {
		t.Error("different lengths: expected an error, got none")
	}
	if err := z.Map(func(x, y *graph.Node) (*graph.Node, *graph.Node) { return x, y }).Err(); err == nil {
		t.Error("Map of two inputs: expected an error, got none")
	}
}

func TestCSV(t *testing.T) {
	const table = "length,width,colour,kind\n1.5,2,red,b\n3,4,blue,a\n5,,red,b\n"
	missing := float32(-1)
	ds, err := data.FromCSV(strings.NewReader(table), data.CSVConfig{Label: "kind", Missing: &missing})
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range ds.Batches() {
		if got := fmt.Sprint(b.X.Value(), b.Y.Value(), err); got != "[[1.5 2 1] [3 4 0] [5 -1 1]] [1 0 1] <nil>" {
			t.Errorf("expected numbers for words, got %s", got)
		}
	}
	if ds.ClassName(1) != "b" {
		t.Errorf("expected class 1 to be b, got %s", ds.ClassName(1))
	}
	for name, c := range map[string]data.CSVConfig{"an empty field": {Label: "kind"}, "no such label": {Label: "x"}, "no such feature": {Features: []string{"x"}}} {
		if _, err := data.FromCSV(strings.NewReader(table), c); err == nil {
			t.Errorf("%s: expected an error, got none", name)
		}
	}
	for _, text := range []string{"", "a,b\n", "a,b\n1\n", "a,a\n1,2\n", "a,b\n1,1e39\n", "a,b\n1,1e999\n"} {
		if _, err := data.FromCSV(strings.NewReader(text), data.CSVConfig{}); err == nil {
			t.Errorf("%q: expected an error, got none", text)
		}
	}
	if _, err := data.FromCSV(strings.NewReader("\ufeffa,id\n1,16777216\n"), data.CSVConfig{Label: "id", Features: []string{"a"}}); err != nil {
		t.Errorf("a byte order mark, and a label that float32 holds: %v", err)
	}
	if _, err := data.FromCSV(strings.NewReader("a,id\n1,16777217\n"), data.CSVConfig{Label: "id"}); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("expected an error for a label that float32 would round, got %v", err)
	}
}

func TestTextFolder(t *testing.T) {
	dir := t.TempDir()
	for path, text := range map[string]string{"neg/1.txt": "bad", "pos/1.txt": "good", "pos/2.txt": "fine"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	texts, labels, classes, err := data.TextFolder(dir)
	if got := fmt.Sprint(texts, labels, classes, err); got != "[bad good fine] [0 1 1] [neg pos] <nil>" {
		t.Errorf("expected three texts of two classes, got %s", got)
	}
	if _, _, _, err := data.TextFolder(t.TempDir()); err == nil {
		t.Error("an empty folder: expected an error, got none")
	}
	if _, err := data.ImageFolder(dir, data.ImageFolderConfig{}); err == nil {
		t.Error("no images: expected an error, got none")
	}
	if err := os.WriteFile(filepath.Join(dir, "neg", "x.png"), []byte("no image"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := data.ImageFolder(dir, data.ImageFolderConfig{}); err == nil || !strings.Contains(err.Error(), "x.png") {
		t.Errorf("a broken image: expected an error that names it, got %v", err)
	}
}

func ExampleFromGenerator() {
	squares := func() iter.Seq2[data.Example, error] {
		return func(yield func(data.Example, error) bool) {
			for i := range 3 {
				if !yield(data.Example{X: []float32{float32(i)}, Y: float32(i * i)}, nil) {
					return
				}
			}
		}
	}
	ds, err := data.FromGenerator(squares)
	if err != nil {
		panic(err)
	}
	for batch, err := range ds.Batches() {
		fmt.Println(batch.X.Value(), batch.Y.Value(), err)
	}
	// Output: [[0] [1] [2]] [0 1 4] <nil>
}

func ExampleTimeSeries() {
	series, err := data.FromSlices([][]float32{{1}, {2}, {3}, {4}}, nil)
	if err != nil {
		panic(err)
	}
	next, err := data.FromSlices([]float32{3, 4}, nil) // what follows two steps
	if err != nil {
		panic(err)
	}
	ds, err := data.TimeSeries(series, next, data.TimeSeriesConfig{SequenceLength: 2})
	if err != nil {
		panic(err)
	}
	for batch, err := range ds.Batches() {
		fmt.Println(batch.X.Value(), batch.Y.Value(), err)
	}
	// Output: [[[1] [2]] [[2] [3]]] [3 4] <nil>
}

func ExampleFromCSV() {
	table := "height,species\n1.5,oak\n0.2,fern\n"
	ds, err := data.FromCSV(strings.NewReader(table), data.CSVConfig{Label: "species"})
	fmt.Println(ds, ds.ClassName(1), err)
	// Output: Dataset of 2 examples: inputs float32[1], labels int32 oak <nil>
}

func ExampleZip() {
	words, err := data.FromSlices([][]int32{{1, 2}, {3, 4}}, nil)
	if err != nil {
		panic(err)
	}
	prices, err := data.FromSlices([]float32{9.5, 3}, []int32{1, 0})
	if err != nil {
		panic(err)
	}
	fmt.Println(data.Zip(words, prices))
	// Output: Dataset of 2 examples: inputs int32[2] and float32, labels int32
}

func ExampleDataset_Window() {
	ds, err := data.FromSlices([]float32{1, 2, 3, 4}, nil)
	if err != nil {
		panic(err)
	}
	for batch, err := range ds.Window(2, 1).Batches() {
		fmt.Println(batch.X.Value(), err)
	}
	// Output: [[1 2] [2 3] [3 4]] <nil>
}

func ExampleDataset_MapExamples() {
	ds, err := data.FromSlices([]float32{1, 2, 3}, nil)
	if err != nil {
		panic(err)
	}
	doubled, err := ds.MapExamples(2, func(e data.Example) (data.Example, error) {
		return data.Example{X: 2 * e.X.([]float32)[0]}, nil
	})
	if err != nil {
		panic(err)
	}
	for batch, err := range doubled.Batches() {
		fmt.Println(batch.X.Value(), err)
	}
	// Output: [2 4 6] <nil>
}
