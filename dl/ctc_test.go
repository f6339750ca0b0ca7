package dl

import (
	"fmt"
	"math"
	"testing"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/kerastest"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// TestCTC: a recurrent network learns to spell what its input shows now and then, with no word of
// when; read greedily, its outputs are the labels. Beside XLA the pure Go backend, which has no
// loops, computes the same loss.
func TestCTC(t *testing.T) {
	const steps = 8
	labels := [][]float32{{1, 2, 2}, {3, 1, 0}, {2, 0, 0}, {3, 3, 1}}
	shown := make([][][]float32, len(labels))
	for i, row := range labels {
		shown[i] = make([][]float32, steps)
		for s := range shown[i] {
			shown[i][s] = make([]float32, 4)
			if s%2 == 1 && s/2 < len(row) {
				shown[i][s][int(row[s/2])] = 1
			}
		}
	}
	ds := must(data.FromSlices(shown, labels))(t)
	first := make(map[string]float64)
	for _, device := range []string{"", "go"} {
		if err := UseDevice(device); err != nil {
			t.Fatal(err)
		}
		defer UseDevice("")
		SetRandomSeed(1)
		m := must(Sequential(layers.Input{Shape: layers.Shape{steps, 4}}, layers.SimpleRNN{Units: 12, ReturnSequences: true}, layers.Dense{Units: 4}))(t)
		if err := m.Compile(CompileConfig{Loss: losses.CTC{}, Optimizer: optimizers.Adam{LearningRate: 0.05}}); err != nil {
			t.Fatal(err)
		}
		first[device] = must(m.Evaluate(t.Context(), ds))(t)["loss"]
		if device != "" {
			continue
		}
		h := must(m.Fit(t.Context(), ds, FitConfig{Epochs: 150, Silent: true}))(t)
		if h.Last()["loss"] > 0.1 {
			t.Errorf("expected the labels learned, got a loss of %g", h.Last()["loss"])
		}
		said := must(m.Predict(t.Context(), ds))(t).Value().([][][]float32)
		for i, row := range said {
			if got, want := spelled(row), trimmed(labels[i]); got != want {
				t.Errorf("expected %s, got %s", want, got)
			}
		}
	}
	if math.Abs(first[""]-first["go"]) > 1e-4 {
		t.Errorf("expected the same loss on both devices, got %v", first)
	}
}

// spelled is what outputs say: the most probable class of each step, each once, without blanks.
func spelled(steps [][]float32) (s string) {
	last := 0
	for _, p := range steps {
		best := 0
		for class := range p {
			if p[class] > p[best] {
				best = class
			}
		}
		if best != last && best != 0 {
			s += string(rune('0' + best))
		}
		last = best
	}
	return s
}

func trimmed(labels []float32) (s string) {
	for _, l := range labels {
		if l != 0 {
			s += string(rune('0' + int(l)))
		}
	}
	return s
}

// TestCTCImpossible: labels that the steps are too few for have an infinite loss.
func TestCTCImpossible(t *testing.T) {
	m := must(Sequential(layers.Input{Shape: layers.Shape{2, 3}}, layers.Dense{Units: 3}))(t)
	if err := m.Compile(CompileConfig{Loss: losses.CTC{}}); err != nil {
		t.Fatal(err)
	}
	x := tensor.Of([][][]float32{{{1, 2, 3}, {4, 5, 6}}})
	logs := must(m.TestOnBatch(x, tensor.Of([][]float32{{1, 1}})))(t) // needs a blank between
	if !math.IsInf(logs["loss"], 1) {
		t.Errorf("expected an infinite loss, got %v", logs)
	}
	_, err := m.TestOnBatch(x, tensor.Of([][]float32{{1, 3}}))
	wantError(t, err, "3")
	err = must(Sequential(layers.Input{Shape: layers.Shape{4}}, layers.Dense{Units: 3}))(t).Compile(CompileConfig{Loss: losses.CTC{}})
	if err == nil {
		_, err = must(Sequential(layers.Input{Shape: layers.Shape{4}}, layers.Dense{Units: 3}))(t).Evaluate(t.Context(), must(data.FromSlices([][]float32{{1, 2, 3, 4}}, [][]float32{{1}}))(t))
	}
	if err == nil {
		t.Error("expected an error about outputs without steps")
	}
}

// TestRecurrencesInGo: the pure Go backend, which has no loops, computes what XLA does.
func TestRecurrencesInGo(t *testing.T) {
	defer UseDevice("")
	x := must(data.FromSlices([][][]float32{{{1, 2}, {3, -4}, {0, 1}}, {{2, 0}, {-1, 1}, {1, 1}}}, nil))(t)
	for _, l := range []layers.Layer{
		layers.SimpleRNN{Units: 3},
		layers.LSTM{Units: 3, ReturnSequences: true},
		layers.GRU{Units: 3},
		layers.RNN{Cell: layers.StackedRNNCells{Cells: []layers.Cell{layers.LSTMCell{Units: 3}, layers.GRUCell{Units: 2}}}},
	} {
		m := must(Sequential(layers.Input{Shape: layers.Shape{3, 2}}, l))(t)
		want := must(m.Predict(t.Context(), x))(t)
		if err := UseDevice("go"); err != nil {
			t.Fatal(err)
		}
		got, err := m.Predict(t.Context(), x)
		if err != nil {
			t.Fatalf("%T: %v", l, err)
		}
		kerastest.Close(t, NewLayer(l).Type(), got, want, 1e-6)
		if err := UseDevice(""); err != nil {
			t.Fatal(err)
		}
	}
}

// stepwise is a cell of one's own that hands each step on to another.
type stepwise struct{ of layers.Cell }

func (s stepwise) BuildCell(in layers.Shape) (layers.CellSpec, error) { return s.of.BuildCell(in) }

func (s stepwise) Step(c *layers.Context, x *Node, states []*Node) (y *Node, next []*Node) {
	return s.of.Step(c, x, states)
}

// TestCellsStepByStep: cells compute the same one step at a time as over whole sequences.
func TestCellsStepByStep(t *testing.T) {
	x := must(data.FromSlices([][][]float32{{{1, 2}, {3, -4}, {0, 1}}, {{2, 0}, {-1, 1}, {1, 1}}}, nil))(t)
	for _, cell := range []layers.Cell{layers.SimpleRNNCell{Units: 3}, layers.LSTMCell{Units: 16}, layers.GRUCell{Units: 16}, layers.GRUCell{Units: 3, ResetBefore: true}} {
		predicted := func(cell layers.Cell) *Tensor {
			SetRandomSeed(1)
			m := must(Sequential(layers.Input{Shape: layers.Shape{3, 2}}, layers.RNN{Cell: cell, ReturnSequences: true}))(t)
			return must(m.Predict(t.Context(), x))(t)
		}
		kerastest.Close(t, fmt.Sprintf("%T", cell), predicted(stepwise{cell}), predicted(cell), 1e-6)
	}
}
