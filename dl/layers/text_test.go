package layers_test

import (
	"fmt"
	"testing"

	"github.com/gradbook/gradbook/dl/layers"
)

func ExampleTextVectorization() {
	v := layers.TextVectorization{OutputSequenceLength: 4}
	if err := v.Adapt([]string{"The cat sat.", "The cat ran!"}); err != nil {
		panic(err)
	}
	rows := v.Transform([]string{"the dog sat"})
	fmt.Println(v.Vocabulary, rows, v.Words(rows[0]))
	// Output: [the cat sat ran] [[2 1 4 0]] [the [UNK] sat]
}

// TestTextVectorization compares with what Keras 3.15 makes of the same texts.
func TestTextVectorization(t *testing.T) {
	texts := []string{"a rose is a rose is a rose", "Is this a Rose?", "no, this is NOT"}
	for _, c := range []struct {
		v    layers.TextVectorization
		want string
	}{
		{layers.TextVectorization{}, "[[5 3 2] [4 3 1]] [rose is a this not no]"},
		{layers.TextVectorization{MaxTokens: 4}, "[[1 3 2] [1 3 1]] [rose is]"},
		{layers.TextVectorization{OutputSequenceLength: 2}, "[[5 3] [4 3]] [rose is a this not no]"},
		{layers.TextVectorization{OutputMode: "count"}, "[[0 1 1 0 1 0 0] [1 0 1 1 0 0 0]] [rose is a this not no]"},
		{layers.TextVectorization{OutputMode: "multi_hot", MaxTokens: 5}, "[[0 1 1 0 1] [1 0 1 1 0]] [rose is a this]"},
		{layers.TextVectorization{OutputMode: "tf_idf"}, "[[0 0.6931472 0.5596158 0 0.6931472 0 0] [0.7452731 0 0.5596158 0.6931472 0 0 0]] [rose is a this not no]"},
	} {
		if err := c.v.Adapt(texts); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(c.v.Transform([]string{"this is rose", "a is x"}), c.v.Vocabulary); got != c.want {
			t.Errorf("expected %s, got %s", c.want, got)
		}
	}
	for _, v := range []layers.TextVectorization{{OutputMode: "x"}, {MaxTokens: 1}, {OutputSequenceLength: -1}} {
		if err := v.Adapt(texts); err == nil {
			t.Errorf("%+v: expected an error, got none", v)
		}
	}
}
