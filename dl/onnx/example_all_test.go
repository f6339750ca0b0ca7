package onnx_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/onnx"
	"github.com/gradbook/gradbook/dl/tensor"
)

func ExampleGraph() {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{4}}, layers.Dense{Units: 2})
	if err != nil {
		panic(err)
	}
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "model.onnx")
	if err := onnx.Save(m, path); err != nil {
		panic(err)
	}
	again, err := onnx.Load(path)
	if err != nil {
		panic(err)
	}
	for _, l := range again.Layers() {
		if _, ok := l.Config().(*onnx.Graph); ok {
			fmt.Println("what was read is one layer")
		}
	}
	// Output:
	// what was read is one layer
}

// plus writes a model of two inputs that adds them, and returns where it is.
func plus(dir string) string {
	a, b := dl.InputOf(layers.Input{Shape: layers.Shape{2}, Name: "a"}), dl.InputOf(layers.Input{Shape: layers.Shape{2}, Name: "b"})
	y, err := dl.ApplyAll(layers.Add{Name: "sum"}, a, b)
	if err != nil {
		panic(err)
	}
	m, err := dl.Functional([]*dl.Symbol{a, b}, y)
	if err != nil {
		panic(err)
	}
	path := filepath.Join(dir, "plus.onnx")
	if err := onnx.Save(m, path); err != nil {
		panic(err)
	}
	return path
}

func folder() string {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	return dir
}

func ExampleOpen() {
	dir := folder()
	defer func() { _ = os.RemoveAll(dir) }()
	s, err := onnx.Open(plus(dir))
	if err != nil {
		panic(err)
	}
	out, err := s.Run(map[string]*tensor.Tensor{
		"a": tensor.Of([][]float32{{1, 2}, {3, 4}}),
		"b": tensor.Of([][]float32{{10, 20}, {30, 40}}),
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(out["sum"].Value())
	// Output:
	// [[11 22] [33 44]]
}

func ExampleSession() {
	dir := folder()
	defer func() { _ = os.RemoveAll(dir) }()
	var s *onnx.Session
	s, err := onnx.Open(plus(dir))
	if err != nil {
		panic(err)
	}
	for _, v := range s.Inputs() {
		fmt.Println(v)
	}
	// Output:
	// a Float32 [-1 2]
	// b Float32 [-1 2]
}

func ExampleValue() {
	v := onnx.Value{Name: "x", DType: tensor.Float32, Dims: []int{-1, 28, 28, 1}}
	fmt.Println(v)
	// Output:
	// x Float32 [-1 28 28 1]
}

func ExampleConfig() {
	dir := folder()
	defer func() { _ = os.RemoveAll(dir) }()
	// b is the same in each run, and the program for batches of 3 is compiled at once.
	s, err := onnx.Open(plus(dir), onnx.Config{
		Values: map[string]*tensor.Tensor{"b": tensor.Of([][]float32{{1, 1}})},
		Shapes: map[string][]int{"a": {3, 2}},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(s.Inputs())
	// Output:
	// [a Float32 [3 2]]
}
