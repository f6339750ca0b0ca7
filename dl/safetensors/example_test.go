package safetensors_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/safetensors"
)

func ExampleOpen() {
	r, err := safetensors.Open("../bert/testdata/tiny/model.safetensors")
	if err != nil {
		panic(err)
	}
	defer func() { _ = r.Close() }()
	t, err := r.Tensor("pooler.dense.bias")
	if err != nil {
		panic(err)
	}
	fmt.Println(len(r.Names()), t.Shape())
	// Output:
	// 39 (Float32)[8]
}

func ExampleReader() {
	var r *safetensors.Reader
	r, err := safetensors.Open("../bert/testdata/tiny/model.safetensors")
	if err != nil {
		panic(err)
	}
	defer func() { _ = r.Close() }()
	fmt.Println(r.Metadata())
	// Output:
	// map[format:pt]
}
