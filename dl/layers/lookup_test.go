package layers_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/layers"
)

// lookupCase is what Keras made of new rows, after it had adapted to others.
type lookupCase struct {
	Class  string
	Config struct {
		OutputMode     string          `json:"output_mode"`
		NumOOVIndices  int             `json:"num_oov_indices"`
		MaxTokens      int             `json:"max_tokens"`
		PadToMaxTokens bool            `json:"pad_to_max_tokens"`
		MaskToken      json.RawMessage `json:"mask_token"`
		MaskValue      json.RawMessage `json:"mask_value"`
		NumBins        int             `json:"num_bins"`
		Salt           json.RawMessage
	}
	Rows, New, Inverse json.RawMessage
	Out                [][]float32
}

// TestLookups: vocabularies, numbers, vectors and bins are those of Keras.
func TestLookups(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "lookups.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Cases []lookupCase }
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Cases) < 100 {
		t.Fatalf("expected the cases that lookups.py writes, got %d", len(all.Cases))
	}
	for i, c := range all.Cases {
		t.Run(fmt.Sprintf("%d %s %s", i, c.Class, c.Config.OutputMode), func(t *testing.T) {
			got, err := c.run(t)
			if err != nil {
				t.Fatal(err)
			}
			for r, row := range c.Out {
				if len(got[r]) != len(row) {
					t.Fatalf("row %d: expected %v, got %v", r, row, got[r])
				}
				for k, want := range row {
					if math.Abs(float64(got[r][k]-want)) > 1e-6 {
						t.Fatalf("row %d: expected %v, got %v", r, row, got[r])
					}
				}
			}
		})
	}
}

func (c lookupCase) run(t *testing.T) ([][]float32, error) {
	k := c.Config
	switch c.Class {
	case "StringLookup":
		l := layers.StringLookup{OutputMode: k.OutputMode, NumOOVIndices: k.NumOOVIndices, MaxTokens: k.MaxTokens, PadToMaxTokens: k.PadToMaxTokens, MaskToken: read[*string](t, k.MaskToken)}
		return looked(t, l.Adapt, l.Transform, l.Invert, c)
	case "IntegerLookup":
		l := layers.IntegerLookup{OutputMode: k.OutputMode, NumOOVIndices: k.NumOOVIndices, MaxTokens: k.MaxTokens, PadToMaxTokens: k.PadToMaxTokens, MaskToken: read[*int64](t, k.MaskToken)}
		return looked(t, l.Adapt, l.Transform, l.Invert, c)
	}
	l := layers.Hashing{NumBins: k.NumBins, OutputMode: k.OutputMode}
	switch {
	case strings.HasPrefix(string(k.Salt), "["):
		l.Salt = read[[]uint64](t, k.Salt)
	case string(k.Salt) != "null":
		l.Salt = []uint64{read[uint64](t, k.Salt)}
	}
	if strings.Contains(string(c.New), `"`) {
		l.MaskValue = read[*string](t, k.MaskValue)
		return l.Transform(read[[][]string](t, c.New))
	}
	if string(k.MaskValue) != "null" {
		l.MaskValue = new(string(k.MaskValue))
	}
	return l.TransformIntegers(read[[][]int64](t, c.New))
}

func looked[T any](t *testing.T, adapt func([][]T) error, transform func([][]T) ([][]float32, error), invert func([][]float32) ([][]T, error), c lookupCase) ([][]float32, error) {
	if err := adapt(read[[][]T](t, c.Rows)); err != nil {
		return nil, err
	}
	out, err := transform(read[[][]T](t, c.New))
	if err == nil && c.Inverse != nil {
		back, err := invert(out)
		if want := read[[][]T](t, c.Inverse); err != nil || !reflect.DeepEqual(back, want) {
			t.Errorf("expected %v of %v, got %v, %v", want, out, back, err)
		}
	}
	return out, err
}

func read[T any](t *testing.T, raw json.RawMessage) (v T) {
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestLookupMistakes: each error says what was expected.
func TestLookupMistakes(t *testing.T) {
	red := [][]string{{"red"}}
	for want, l := range map[string]layers.StringLookup{
		"got none":         {},
		"twice":            {Vocabulary: []string{"a", "b", "a"}},
		"not in the Voc":   {Vocabulary: []string{"a"}, ForbidOOV: true},
		"OutputMode":       {Vocabulary: []string{"a"}, OutputMode: "onehot"},
		"MaskToken":        {Vocabulary: []string{"a"}, MaskToken: new("a")},
		"at most 2 values": {Vocabulary: []string{"a", "b", "c"}, MaxTokens: 3},
		"IDFWeights":       {Vocabulary: []string{"a", "b", "c"}, OutputMode: "tf_idf"},
		"to pad to":        {Vocabulary: []string{"a"}, PadToMaxTokens: true},
	} {
		if _, err := l.Transform(red); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "StringLookup") {
			t.Errorf("expected an error that says %q, got %v", want, err)
		}
	}
	two := layers.StringLookup{Vocabulary: []string{"a"}, OutputMode: "one_hot"}
	if _, err := two.Transform([][]string{{"a", "b"}}); err == nil || !strings.Contains(err.Error(), "one value") {
		t.Errorf("expected an error about two values, got %v", err)
	}
	if _, err := (layers.Hashing{}).Transform(red); err == nil || !strings.Contains(err.Error(), "NumBins") {
		t.Errorf("expected an error about NumBins, got %v", err)
	}
}

// TestLookupsInModels: in a file of Keras's they are refused, with what to do instead.
func TestLookupsInModels(t *testing.T) {
	_, err := config.Decode[layers.Layer](config.Object{Class: "StringLookup"})
	if err == nil || !strings.Contains(err.Error(), "apply layers.StringLookup to the data") {
		t.Errorf("expected an error that says what to do, got %v", err)
	}
}

func ExampleStringLookup() {
	l := layers.StringLookup{}
	if err := l.Adapt([][]string{{"red"}, {"green"}, {"red"}}); err != nil {
		fmt.Println(err)
		return
	}
	numbers, err := l.Transform([][]string{{"green"}, {"red"}, {"blue"}})
	fmt.Println(l.Vocabulary, numbers, err)
	// Output:
	// [red green] [[2] [1] [0]] <nil>
}

func ExampleIntegerLookup() {
	l := layers.IntegerLookup{Vocabulary: []int64{1204, 77}, OutputMode: "one_hot"}
	vectors, err := l.Transform([][]int64{{77}, {5}})
	fmt.Println(vectors, err)
	// Output:
	// [[0 0 1] [1 0 0]] <nil>
}

func ExampleHashing() {
	l := layers.Hashing{NumBins: 3}
	bins, err := l.Transform([][]string{{"A"}, {"B"}, {"C"}, {"D"}, {"E"}})
	fmt.Println(bins, err)
	// Output:
	// [[1] [0] [1] [1] [2]] <nil>
}
