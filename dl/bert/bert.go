// Package bert turns sentences into vectors, by models of Hugging Face of the class BertModel,
// such as all-MiniLM-L6-v2:
//
//	e, err := bert.Load("all-MiniLM-L6-v2") // a folder
//	v, err := e.Encode(ctx, "A cat sits.", "Stocks fell.")
//
// Sentences that mean the same have vectors of nearly the same direction.
//
// Source: Devlin et al., 2018 (arXiv:1810.04805); Reimers and Gurevych, 2019 (arXiv:1908.10084).
package bert

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/safetensors"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Encoder turns sentences into vectors. It can be used by several goroutines at once.
type Encoder struct {
	network   *network
	tokenizer *tokenizer

	mu     sync.Mutex
	models map[int]*dl.Model // by the length of texts in tokens
}

// Load reads a model from a folder as Hugging Face has it: config.json, model.safetensors and
// tokenizer.json, and what sentence-transformers puts beside them. What is not honoured is a
// *dl.FormatError.
func Load(folder string) (*Encoder, error) {
	e, err := load(folder)
	if err != nil {
		if errors.As(err, new(*os.PathError)) {
			return nil, fmt.Errorf("bert: %w", err)
		}
		return nil, &dl.FormatError{Path: folder, Err: fmt.Errorf("bert: cannot load %s: %w", folder, err)}
	}
	return e, nil
}

func load(folder string) (*Encoder, error) {
	var c config
	if found, err := read(folder, "config.json", &c); err != nil || !found {
		return nil, errors.Join(fmt.Errorf("expected a folder with a config.json"), err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	p, err := readPooling(folder, c)
	if err != nil {
		return nil, err
	}
	t, err := readTokenizer(folder, p.longest)
	if err != nil {
		return nil, err
	}
	r, err := safetensors.Open(filepath.Join(folder, "model.safetensors"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	e := &Encoder{network: newNetwork(c, p), tokenizer: t, models: make(map[int]*dl.Model)}
	m, err := e.Model(step)
	if err != nil {
		return nil, err
	}
	return e, m.SetWeightsFrom(withoutPrefix(r), mapping())
}

// step is the smallest length of a model in tokens; others are multiples of it.
const step = 16

// Model is the model for texts of a length in tokens: of tokens and their mask, both (None,
// length), it makes (None, dim). Models of all lengths share their weights, and can be trained.
func (e *Encoder) Model(length int) (*dl.Model, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m := e.models[length]; m != nil {
		return m, nil
	}
	m, err := e.network.model(length)
	if err != nil {
		return nil, err
	}
	e.models[length] = m
	return m, nil
}

// Dim is the size of a vector.
func (e *Encoder) Dim() int { return e.network.Hidden }

// Tokens are the numbers of a text's tokens, with those that mark its beginning and end; a text
// that is too long for the model is cut off.
func (e *Encoder) Tokens(text string) []int { return e.tokenizer.encode(text) }

// batch is the most texts that are encoded together.
const batch = 32

// Encode returns a vector for each text: float32 [n, dim]. Texts are taken together by their
// lengths, so that little is padded; the order of the result is theirs.
func (e *Encoder) Encode(ctx context.Context, texts ...string) (*tensor.Tensor, error) {
	tokens := make([][]int, len(texts))
	order := make([]int, len(texts))
	for i, t := range texts {
		tokens[i], order[i] = e.Tokens(t), i
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(tokens[a]) - len(tokens[b]) })
	out := make([]float32, len(texts)*e.Dim())
	for from := 0; from < len(order); {
		to := from + 1
		length := padded(len(tokens[order[from]]))
		for to < len(order) && to-from < batch && padded(len(tokens[order[to]])) == length {
			to++
		}
		if err := e.encode(ctx, tokens, order[from:to], length, out); err != nil {
			return nil, err
		}
		from = to
	}
	return tensors.FromFlatDataAndDimensions(out, len(texts), e.Dim()), nil
}

// padded is the length of the model for so many tokens.
func padded(n int) int { return (max(n, 1) + step - 1) / step * step }

// encode puts the vectors of some texts into out.
func (e *Encoder) encode(ctx context.Context, tokens [][]int, which []int, length int, out []float32) error {
	length = min(length, e.network.Positions)
	m, err := e.Model(length)
	if err != nil {
		return err
	}
	rows := 1 // a power of two, so that few numbers of rows have a program of their own
	for rows < len(which) {
		rows *= 2
	}
	ids, mask := make([]float32, rows*length), make([]float32, rows*length)
	for row, i := range which {
		for j := range length {
			ids[row*length+j] = float32(e.network.PadToken)
			if j < len(tokens[i]) {
				ids[row*length+j], mask[row*length+j] = float32(tokens[i][j]), 1
			}
		}
	}
	a, err := data.New(tensor.New(ids, rows, length), nil)
	if err != nil {
		return err
	}
	b, err := data.New(tensor.New(mask, rows, length), nil)
	if err != nil {
		return err
	}
	y, err := m.Predict(ctx, data.Zip(a, b))
	if err != nil {
		return err
	}
	values, err := tensor.Flat[float32](y)
	if err != nil {
		return err
	}
	for row, i := range which {
		copy(out[i*e.Dim():(i+1)*e.Dim()], values[row*e.Dim():(row+1)*e.Dim()])
	}
	return nil
}

// Similarity is the cosine of the angle between two vectors, from −1 to 1.
func Similarity(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}
