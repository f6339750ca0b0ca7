package dl

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// TestModelsRunTogether: a model is used while another one is in the midst of a batch; one that
// shares a layer with that has to wait.
func TestModelsRunTogether(t *testing.T) {
	in := Input(layers.Shape{2})
	shared := NewLayer(layers.Dense{Units: 1})
	busy := must(Functional([]*Symbol{in}, []*Symbol{Apply(shared, in)}))(t)
	sharing := must(Functional([]*Symbol{in}, []*Symbol{Apply(shared, in).Then(layers.Dense{Units: 1})}))(t)
	other := must(Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 1}))(t)
	ds := must(data.FromSlices([][]float32{{1, 2}}, []float32{1}))(t)
	for _, m := range []*Model{sharing, other} { // compiled before
		must(m.Predict(t.Context(), ds))(t)
	}
	busy.m.Lock.Lock()
	done := make(chan *Model, 2)
	var wait sync.WaitGroup
	for _, m := range []*Model{sharing, other} {
		wait.Go(func() {
			if _, err := m.Predict(t.Context(), ds); err != nil {
				t.Error(err)
			}
			done <- m
		})
	}
	first := <-done
	if first != other {
		t.Error("expected the model that shares nothing to be first")
	}
	select {
	case <-done:
		t.Error("expected the model that shares a layer to wait")
	case <-time.After(50 * time.Millisecond):
	}
	busy.m.Lock.Unlock()
	wait.Wait()
}

// TestManyModels: models that share layers, and others, are made, trained and asked in several
// goroutines at once, with what they would give alone. It is for the race detector.
func TestManyModels(t *testing.T) {
	ds := must(data.FromSlices([][]float32{{1, 2}, {3, -1}, {0.5, 0.5}}, []float32{1, 2, 3}))(t)
	run := func() string {
		in := Input(layers.Shape{2})
		body := in.Then(layers.Dense{Units: 3})
		m := must(Functional([]*Symbol{in}, []*Symbol{body.Then(layers.Dense{Units: 1})}))(t)
		side := must(Functional([]*Symbol{in}, []*Symbol{body.Then(layers.Dense{Units: 2})}))(t)
		for i, l := range m.m.Weights {
			values := make([]float32, l.Shape.Size())
			for j := range values {
				values[j] = float32(i+j) / 10
			}
			l.Set(values)
		}
		if err := m.Compile(CompileConfig{Optimizer: optimizers.SGD{}, Loss: losses.MeanSquaredError{}}); err != nil {
			t.Error(err)
		}
		h := must(m.Fit(t.Context(), ds, FitConfig{Epochs: 2, NoShuffle: true, Silent: true}))(t)
		must(side.Predict(t.Context(), ds))(t)
		nested := must(Sequential(layers.Input{Shape: layers.Shape{2}}, m, layers.Dense{Units: 1}))(t)
		must(nested.Predict(t.Context(), ds))(t)
		copied := must(m.Clone())(t)
		must(copied.Predict(t.Context(), ds))(t)
		return fmt.Sprint(h.Metrics["loss"])
	}
	want := run()
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			if got := run(); got != want {
				t.Errorf("expected %s, got %s", want, got)
			}
		})
	}
	wait.Wait()
}

// BenchmarkTwoModels is the time in which a model predicts, and in which two do together. Their
// programs are small; still XLA runs about half of what they do in threads that all programs of
// a process share.
func BenchmarkTwoModels(b *testing.B) {
	var models []*Model
	for range 2 {
		stack := []layers.Layer{layers.Input{Shape: layers.Shape{400, 32}}, layers.LSTM{Units: 32}}
		models = append(models, must(Sequential(stack...))(b))
	}
	x := must(data.New(tensors.FromFlatDataAndDimensions(make([]float32, 8*400*32), 8, 400, 32), nil))(b)
	predict := func(m *Model) { must(m.Predict(b.Context(), x))(b) }
	for _, m := range models {
		predict(m)
	}
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			predict(models[0])
		}
	})
	b.Run("together", func(b *testing.B) {
		for b.Loop() {
			var wait sync.WaitGroup
			for _, m := range models {
				wait.Go(func() { predict(m) })
			}
			wait.Wait()
		}
	})
}
