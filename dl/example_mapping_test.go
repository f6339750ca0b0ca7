package dl_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/safetensors"
)

func ExampleMapping() {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{8}}, layers.Dense{Units: 8, Name: "pooler"})
	if err != nil {
		panic(err)
	}
	r, err := safetensors.Open("bert/testdata/tiny/model.safetensors")
	if err != nil {
		panic(err)
	}
	defer func() { _ = r.Close() }()
	err = m.SetWeightsFrom(r, dl.Mapping{
		{Weight: "*/kernel", Tensor: "*.dense.weight", Axes: []int{1, 0}}, // PyTorch's kernels are [out, in]
		{Weight: "*/bias", Tensor: "*.dense.bias"},
	})
	fmt.Println(err)
	// Output:
	// <nil>
}

func ExampleFrom() {
	// Of a tensor that holds query, key and value, one above the other, the key.
	key := dl.From{Weight: "block_*/key/kernel", Tensor: "h.*.attn.weight", Parts: 3, Part: 1}
	fmt.Println(key.Tensor, key.Part, "of", key.Parts)
	// Output:
	// h.*.attn.weight 1 of 3
}

func ExampleTensorReader() {
	var r dl.TensorReader
	r, err := safetensors.Open("bert/testdata/tiny/model.safetensors")
	if err != nil {
		panic(err)
	}
	t, err := r.Tensor("embeddings.LayerNorm.bias")
	fmt.Println(t.Shape(), err)
	// Output:
	// (Float32)[8] <nil>
}
