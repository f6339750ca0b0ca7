package bert_test

import (
	"context"
	"fmt"

	"github.com/gradbook/gradbook/dl/bert"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func ExampleLoad() {
	// A folder of Hugging Face; this one is a model of a few numbers.
	e, err := bert.Load("testdata/tiny")
	if err != nil {
		panic(err)
	}
	fmt.Println(e.Tokens("A cat sits."), e.Dim())
	// Output:
	// [2 5 6 7 11 3] 8
}

func ExampleEncoder() {
	var e *bert.Encoder
	e, err := bert.Load("testdata/tiny")
	if err != nil {
		panic(err)
	}
	v, err := e.Encode(context.Background(), "A cat sits.", "The dog fell!")
	if err != nil {
		panic(err)
	}
	fmt.Println(v.Shape().Dimensions)
	// Output:
	// [2 8]
}

func ExampleSimilarity() {
	e, err := bert.Load("testdata/tiny")
	if err != nil {
		panic(err)
	}
	v, err := e.Encode(context.Background(), "A cat sits.", "a cat sits .")
	if err != nil {
		panic(err)
	}
	rows, err := tensor.Flat[float32](v)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.3f\n", bert.Similarity(rows[:e.Dim()], rows[e.Dim():]))
	// Output:
	// 1.000
}

func ExampleEmbeddings() {
	spec, err := bert.Embeddings{Vocabulary: 100, Positions: 64, Types: 2, Dim: 8}.Build(layers.Shape{16})
	fmt.Println(spec.Output, err)
	// Output:
	// (None, 16, 8) <nil>
}
