// Package xla has XLA compute what package serve serves.
package xla

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/onnx"
	"github.com/gradbook/gradbook/dl/serve"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Load makes a model of a file of Keras or dl (.keras) or ONNX (.onnx), for serve.Config. What a
// .keras file needs beside it to be one of language is a file of the same name with the ending
// .tokens: "bytes", or a line for each token.
func Load(path string) (serve.Model, error) {
	var m *dl.Model
	var err error
	switch strings.ToLower(filepath.Ext(path)) {
	case ".keras":
		m, err = dl.Load(path)
	case ".onnx":
		m, err = onnx.Load(path)
	default:
		return nil, fmt.Errorf("%s: expected a model of .keras or .onnx", path)
	}
	if err != nil {
		return nil, err
	}
	out := New(m)
	tokens, err := os.ReadFile(strings.TrimSuffix(path, filepath.Ext(path)) + ".tokens")
	switch {
	case errors.Is(err, os.ErrNotExist):
		return out, nil
	case err != nil:
		return nil, err
	}
	out.tokenizer, err = newTokenizer(string(tokens))
	return out, err
}

// Model is a model that XLA computes.
type Model struct {
	m         *dl.Model
	tokenizer *tokenizer
}

// New is a model that a program has.
func New(m *dl.Model) *Model { return &Model{m: m} }

// sizes are the batches that programs are compiled for.
var sizes = []int{1, 2, 4, 8, 16, 32, 64}

// Sizes implements serve.Padded.
func (m *Model) Sizes() []int { return sizes }

// Describe implements serve.Model.
func (m *Model) Describe() serve.Description {
	d := serve.Description{Platform: "gradbook_xla"}
	for _, s := range m.m.Inputs() {
		d.Inputs = append(d.Inputs, port(s))
	}
	for _, s := range m.m.Outputs() {
		d.Outputs = append(d.Outputs, port(s))
	}
	return d
}

func port(s *dl.Symbol) serve.Port {
	l, _, output := s.Origin()
	name := l.Name()
	if output > 0 {
		name = fmt.Sprintf("%s_%d", name, output)
	}
	return serve.Port{Name: name, Datatype: "FP32", Shape: append([]int{}, s.Shape()...)}
}

// Predict implements serve.Model.
func (m *Model) Predict(ctx context.Context, inputs []serve.Tensor) ([]serve.Tensor, error) {
	all := make([]*tensor.Tensor, len(inputs))
	for i, t := range inputs {
		all[i] = tensor.New(t.Data, t.Shape...)
	}
	out, err := m.m.PredictOnBatch(all[0], dl.BatchConfig{Context: ctx, Inputs: all[1:]})
	if err != nil {
		return nil, err
	}
	var outputs []serve.Tensor
	for _, o := range out {
		x, err := tensor.Flat[float32](o)
		if err != nil {
			return nil, err
		}
		outputs = append(outputs, serve.Tensor{Shape: o.Shape().Dimensions, Data: x})
	}
	return outputs, nil
}

// Tokenizer implements serve.LanguageModel.
func (m *Model) Tokenizer() (serve.Tokenizer, bool) {
	if m.tokenizer == nil {
		return nil, false
	}
	return m.tokenizer, true
}
