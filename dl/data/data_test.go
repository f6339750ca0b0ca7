package data_test

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/data"
)

// numbers is a dataset of n examples, [i, -i] labelled i.
func numbers(t testing.TB, n int) *data.Dataset {
	t.Helper()
	x, y := make([]float32, 0, 2*n), make([]int32, 0, n)
	for i := range n {
		x, y = append(x, float32(i), float32(-i)), append(y, int32(i))
	}
	ds, err := data.FromFlat(x, []int{2}, y, nil)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func labels(t testing.TB, ds *data.Dataset) []int {
	t.Helper()
	l, err := ds.Labels()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestViews(t *testing.T) {
	ds := numbers(t, 10)
	first, rest := ds.Split(0.3)
	for _, c := range []struct {
		name string
		got  *data.Dataset
		want []int
	}{
		{"take", ds.Take(3), []int{0, 1, 2}},
		{"take too many", ds.Take(11), []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{"take none", ds.Take(-1), []int{}},
		{"skip", ds.Skip(8), []int{8, 9}},
		{"split", first, []int{0, 1, 2}},
		{"rest", rest, []int{3, 4, 5, 6, 7, 8, 9}},
		{"select", ds.Select(7, 1, 7), []int{7, 1, 7}},
		{"view of a view", ds.Skip(4).Take(2), []int{4, 5}},
	} {
		if got := labels(t, c.got); !slices.Equal(got, c.want) || c.got.Len() != len(c.want) {
			t.Errorf("%s: expected %v, got %v", c.name, c.want, got)
		}
	}
}

func TestShuffle(t *testing.T) {
	ds := numbers(t, 100)
	a, b, c := labels(t, ds.Shuffle(1)), labels(t, ds.Shuffle(1)), labels(t, ds.Shuffle(2))
	if !slices.Equal(a, b) {
		t.Error("the same seed gave another order")
	}
	if slices.Equal(a, c) || slices.IsSorted(a) {
		t.Error("expected another order for another seed")
	}
	slices.Sort(a)
	if !slices.Equal(a, labels(t, ds)) {
		t.Error("shuffling lost examples")
	}
}

// TestBatches reads a dataset whole, in an order of its own, through maps.
func TestBatches(t *testing.T) {
	ds := numbers(t, 7).Select(6, 5, 4, 3, 2, 1, 0).Map(data.Rescale(10)).Map(data.OneHot(7)).Batch(3)
	var sizes []int
	n := 6
	for b, err := range ds.Batches() {
		if err != nil {
			t.Fatal(err)
		}
		x, y := b.X.Value().([][]float32), b.Y.Value().([][]float32)
		sizes = append(sizes, len(x))
		for i := range x {
			if x[i][0] != float32(10*n) || x[i][1] != float32(-10*n) || y[i][n] != 1 || len(y[i]) != 7 {
				t.Errorf("example %d: got %v, %v", n, x[i], y[i])
			}
			n--
		}
	}
	if !slices.Equal(sizes, []int{3, 3, 1}) {
		t.Errorf("expected batches of 3, 3 and 1, got %v", sizes)
	}
	unlabelled, err := data.FromSlices([][]float32{{1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range unlabelled.Batches() {
		if err != nil || b.Y != nil {
			t.Errorf("expected no labels, got %v, %v", b.Y, err)
		}
	}
	broken := numbers(t, 2).Map(func(x, y *graph.Node) (*graph.Node, *graph.Node) { return graph.Reshape(x, 5), y })
	for _, err := range broken.Batches() {
		if err == nil {
			t.Error("a map that does not fit: expected an error, got none")
		}
	}
}

func TestErrors(t *testing.T) {
	for name, make := range map[string]func() (*data.Dataset, error){
		"no inputs":          func() (*data.Dataset, error) { return data.New(nil, nil) },
		"scalar":             func() (*data.Dataset, error) { return data.New(tensors.FromValue(float32(1)), nil) },
		"ragged":             func() (*data.Dataset, error) { return data.FromSlices([][]float32{{1}, {1, 2}}, nil) },
		"bools":              func() (*data.Dataset, error) { return data.FromSlices([]bool{true}, nil) },
		"too few labels":     func() (*data.Dataset, error) { return data.FromSlices([]float32{1, 2}, []int32{1}) },
		"no whole examples":  func() (*data.Dataset, error) { return data.FromFlat([]uint8{1, 2, 3}, []int{2}, []uint8(nil), nil) },
		"an empty axis":      func() (*data.Dataset, error) { return data.FromFlat([]uint8{}, []int{0}, []uint8(nil), nil) },
		"labels of no shape": func() (*data.Dataset, error) { return data.FromSlices([]float32{1}, "x") },
	} {
		if ds, err := make(); err == nil {
			t.Errorf("%s: expected an error, got %v", name, ds)
		} else if !strings.HasPrefix(err.Error(), "data: ") {
			t.Errorf("%s: expected an error of data, got %v", name, err)
		}
	}
}

// TestBroken: a mistake stays with the dataset until something reads it.
func TestBroken(t *testing.T) {
	first, rest := numbers(t, 2).Split(math.NaN())
	for name, ds := range map[string]*data.Dataset{
		"split":       first,
		"rest":        rest,
		"batch":       numbers(t, 2).Batch(-1),
		"select":      numbers(t, 2).Select(2),
		"window":      numbers(t, 2).Window(0, 1),
		"repeat":      numbers(t, 2).Repeat(-1),
		"zip":         data.Zip(),
		"zip nil":     data.Zip(numbers(t, 2), nil),
		"map":         numbers(t, 2).Map(nil),
		"made of one": numbers(t, 2).Batch(-1).Repeat(2).Take(1).Prefetch(2),
	} {
		if err := ds.Err(); err == nil || !strings.HasPrefix(err.Error(), "data: expected ") {
			t.Errorf("%s: expected an error that says what was expected, got %v", name, err)
		}
	}
}

func TestImages(t *testing.T) {
	grey, err := data.FromFlat([]uint8{0, 50, 100, 150, 200, 250}, []int{2, 3, 1}, []uint8{4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	images, err := grey.Images()
	if err != nil {
		t.Fatal(err)
	}
	if b := images[0].Bounds(); b.Dx() != 3 || b.Dy() != 2 {
		t.Errorf("expected a picture 3 wide and 2 high, got %v", b)
	}
	if got := color.GrayModel.Convert(images[0].At(0, 1)).(color.Gray).Y; got != 150 {
		t.Errorf("expected 150 at the left of the second row, got %d", got)
	}
	coloured, err := data.FromFlat([]float32{1, 0.5, 0}, []int{1, 1, 3}, []uint8(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	if images, err = coloured.Images(); err != nil {
		t.Fatal(err)
	}
	if got := images[0].At(0, 0).(color.NRGBA); got != (color.NRGBA{255, 128, 0, 255}) {
		t.Errorf("expected orange, got %v", got)
	}
	if _, err := numbers(t, 1).Images(); err == nil {
		t.Error("vectors are no images: expected an error, got none")
	}
	if _, err := coloured.Labels(); err == nil {
		t.Error("no labels: expected an error, got none")
	}
}

func TestClassNames(t *testing.T) {
	ds := numbers(t, 1)
	if got := ds.ClassName(3); got != "3" {
		t.Errorf("expected 3, got %s", got)
	}
	if got := ds.ClassNames("cat", "dog").ClassName(1); got != "dog" {
		t.Errorf("expected dog, got %s", got)
	}
}

func ExampleDataset_Map() {
	ds, err := data.FromSlices([][]uint8{{0, 51}, {102, 255}}, []int32{0, 1})
	if err != nil {
		panic(err)
	}
	for batch, err := range ds.Map(data.Rescale(1 / 255.0)).Batch(2).Batches() {
		if err != nil {
			panic(err)
		}
		fmt.Printf("%.1f\n", batch.X.Value())
	}
	// Output: [[0.0 0.2] [0.4 1.0]]
}

func ExampleDataset_Split() {
	ds, err := data.FromSlices([]float32{1, 2, 3, 4, 5}, []int32{0, 0, 0, 1, 1})
	if err != nil {
		panic(err)
	}
	train, val := ds.Shuffle(42).Split(0.8)
	fmt.Println(train.Len(), val.Len())
	// Output: 4 1
}

func ExampleFromFlat() {
	pixels := []uint8{0, 255, 255, 0, 255, 0, 0, 255} // two images of 2 × 2
	ds, err := data.FromFlat(pixels, []int{2, 2, 1}, []uint8{0, 1}, nil)
	fmt.Println(ds, err)
	// Output: Dataset of 2 examples: inputs uint8[2 2 1], labels uint8 <nil>
}

func ExampleDataset_Labels() {
	ds, err := data.FromSlices([]float32{1, 2, 3}, []int32{7, 8, 9})
	if err != nil {
		panic(err)
	}
	labels, err := ds.Select(2, 0).Labels()
	fmt.Println(labels, err)
	// Output: [9 7] <nil>
}

func ExampleOneHot() {
	ds, err := data.FromSlices([]float32{1}, []int32{2})
	if err != nil {
		panic(err)
	}
	for batch, err := range ds.Map(data.OneHot(4)).Batches() {
		fmt.Println(batch.Y.Value(), err)
	}
	// Output: [[0 0 1 0]] <nil>
}

func ExampleFromSlices() {
	ds, err := data.FromSlices([][]float32{{0, 1}, {1, 0}}, []int32{1, 0})
	fmt.Println(ds, err)
	// Output: Dataset of 2 examples: inputs float32[2], labels int32 <nil>
}

func ExampleDataset_Batches() {
	ds, err := data.FromSlices([]float32{1, 2, 3}, nil)
	if err != nil {
		panic(err)
	}
	for batch, err := range ds.Batch(2).Batches() {
		fmt.Println(batch.X.Value(), err)
	}
	// Output:
	// [1 2] <nil>
	// [3] <nil>
}

func ExampleDataset_Shuffle() {
	ds, err := data.FromSlices([]float32{0, 0, 0, 0}, []int32{1, 2, 3, 4})
	if err != nil {
		panic(err)
	}
	once, err := ds.Shuffle(1).Labels()
	if err != nil {
		panic(err)
	}
	again, err := ds.Shuffle(1).Labels()
	fmt.Println(fmt.Sprint(once) == fmt.Sprint(again), err)
	// Output: true <nil>
}
