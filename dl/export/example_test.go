package export_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/export"
	"github.com/gradbook/gradbook/dl/layers"
)

func ExampleSave() {
	m, err := dl.Sequential(
		layers.Input{Shape: layers.Shape{4}},
		layers.Dense{Units: 3, Activation: activations.Softmax})
	if err != nil {
		fmt.Println(err)
		return
	}
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	err = export.Save(m, filepath.Join(dir, "iris"), export.Config{Int8: true})
	fmt.Println(err)
	weights, err := os.Stat(filepath.Join(dir, "iris", "iris.bin"))
	fmt.Println(weights.Size(), err) // 12 weights of a byte, and 3 scales and 3 biases of 4
	// Output:
	// <nil>
	// 36 <nil>
}

func ExampleFile() {
	err := export.File("missing.keras", "missing", export.Config{Format: export.WebAssembly, Labels: []string{"cat", "dog"}})
	fmt.Println(err)
	// Output: dl: cannot load missing.keras: stat missing.keras: no such file or directory
}

func ExampleFormats() {
	for _, f := range export.Formats() {
		fmt.Println(export.Format.String(f))
	}
	// Output:
	// go
	// wasm
	// c
	// program
	// service
}
