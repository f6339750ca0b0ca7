package onnx_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/onnx"
)

func ExampleSave() {
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
	fmt.Println(again.InputShape(), again.OutputShape())
	// Output: (None, 4) (None, 2)
}

func ExampleWrite() {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{4}}, layers.Dense{Units: 2})
	if err != nil {
		panic(err)
	}
	var file bytes.Buffer
	err = onnx.Write(&file, m)
	fmt.Println(file.Len() > 40, err) // 8 weights and 2 biases of 4 bytes, and their names
	// Output: true <nil>
}
