package data_test

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"iter"
	"os"
	"path/filepath"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/ops"
)

// folder is an empty one, and what removes it.
func folder() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }
}

// sum adds up numbers of any type that a dataset may have.
func sum[T data.Value](values []T) (all T) {
	for _, v := range values {
		all += v
	}
	return all
}

func ExampleValue() {
	fmt.Println(sum([]uint8{1, 2}), sum([]float32{0.5, 1}))
	// Output:
	// 3 1.5
}

func ExampleNodes() {
	ds, err := data.FromSlices([][]float32{{1, 2}}, []float32{3})
	if err != nil {
		panic(err)
	}
	doubled := ds.MapAll(func(b data.Nodes) data.Nodes {
		b.X[0] = ops.Multiply(b.X[0], 2)
		return b
	})
	for b, err := range doubled.Batches() {
		if err != nil {
			panic(err)
		}
		fmt.Println(b.X.Value(), b.Y.Value())
	}
	// Output:
	// [[2 4]] [3]
}

func ExampleTextFolder() {
	dir, remove := folder()
	defer remove()
	for _, class := range []string{"bad", "good"} {
		if err := os.MkdirAll(filepath.Join(dir, class), 0o700); err != nil {
			panic(err)
		}
		if err := os.WriteFile(filepath.Join(dir, class, "1.txt"), []byte("a "+class+" film"), 0o600); err != nil {
			panic(err)
		}
	}
	texts, labels, classes, err := data.TextFolder(dir)
	fmt.Println(texts, labels, classes, err)
	// Output:
	// [a bad film a good film] [0 1] [bad good] <nil>
}

func ExampleImageFolder() {
	dir, remove := folder()
	defer remove()
	for _, class := range []string{"dark", "light"} {
		if err := os.MkdirAll(filepath.Join(dir, class), 0o700); err != nil {
			panic(err)
		}
		img := image.NewGray(image.Rect(0, 0, 4, 4))
		if class == "light" {
			img.Set(0, 0, color.White)
		}
		f, err := os.Create(filepath.Join(dir, class, "1.png"))
		if err != nil {
			panic(err)
		}
		if err := png.Encode(f, img); err != nil {
			panic(err)
		}
		if err := f.Close(); err != nil {
			panic(err)
		}
	}
	ds, err := data.ImageFolder(dir, data.ImageFolderConfig{Height: 2, Width: 2, Gray: true})
	if err != nil {
		panic(err)
	}
	fmt.Println(ds.Len(), ds.ClassName(0), ds.ClassName(1))
	// Output:
	// 2 dark light
}

func ExampleInputs() {
	ds, err := data.FromGenerator(func() iter.Seq2[data.Example, error] {
		return func(yield func(data.Example, error) bool) {
			yield(data.Example{X: data.Inputs{[]float32{1, 2}, []float32{3}}, Y: float32(4)}, nil)
		}
	})
	fmt.Println(ds.Err(), err)
	// Output:
	// <nil> <nil>
}

func ExampleDataset_Parts() {
	ds, err := data.FromSlices([][]float32{{1, 2}, {3, 4}}, []float32{3, 7})
	if err != nil {
		panic(err)
	}
	for name, value := range ds.Batch(2).Parts() {
		fmt.Println(name, value)
	}
	// Output:
	// input shape [2]
	// label shape []
	// batch size 2
	// examples [{[1 2] [3] 0} {[3 4] [7] 0}]
}
