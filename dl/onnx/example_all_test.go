package onnx_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/onnx"
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
