package data_test

import (
	"fmt"
	"testing"

	"github.com/gradbook/gradbook/dl/data"
)

// TestPadSequences: the values that keras.utils.pad_sequences gives (3.15.1).
func TestPadSequences(t *testing.T) {
	in := [][]int32{{1}, {2, 3}, {4, 5, 6}}
	for want, c := range map[string]data.PadConfig{
		"[[0 0 1] [0 2 3] [4 5 6]]":    {},
		"[[-1 -1 1] [-1 2 3] [4 5 6]]": {Value: -1},
		"[[1 0 0] [2 3 0] [4 5 6]]":    {PadBehind: true},
		"[[0 1] [2 3] [5 6]]":          {MaxLen: 2},
		"[[0 1] [2 3] [4 5]]":          {MaxLen: 2, CutBehind: true},
	} {
		x, err := data.PadSequences(in, c)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(x.Value()); got != want {
			t.Errorf("%+v: got %s, want %s", c, got, want)
		}
	}
	if _, err := data.PadSequences(in, data.PadConfig{Value: 0.5}); err == nil {
		t.Error("expected an error for a value that an int32 cannot hold")
	}
	if _, err := data.PadSequences([][]int32{{}}, data.PadConfig{}); err == nil {
		t.Error("expected an error for nothing but empty sequences")
	}
}

func ExamplePadSequences() {
	x, err := data.PadSequences([][]float32{{1, 2}, {3}}, data.PadConfig{PadBehind: true})
	fmt.Println(x.Value(), err)
	// Output:
	// [[1 2] [3 0]] <nil>
}

func ExamplePadConfig() {
	x, err := data.PadSequences([][]int32{{1, 2, 3}, {4}}, data.PadConfig{MaxLen: 2, Value: 9})
	fmt.Println(x.Value(), err)
	// Output:
	// [[2 3] [9 4]] <nil>
}
