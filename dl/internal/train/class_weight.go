package train

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/source"
	"github.com/gradbook/gradbook/dl/losses"
)

// weighted gives each example the weight of its class, times its own if it has one.
func (m *Model) weighted(ds *data.Dataset, byClass map[int]float64) (*data.Dataset, error) {
	if m.compiled.Step != nil {
		return nil, errors.New("expected a Loss for ClassWeight, got a Step of its own, which weighs as it likes")
	}
	if len(m.Outputs) != 1 || m.compiled.Loss == nil {
		return nil, fmt.Errorf("expected a model of one output for ClassWeight, got one of %d", len(m.Outputs))
	}
	output := m.Outputs[0].Shape
	classes := 1
	if len(output) > 0 {
		classes = output[len(output)-1]
	}
	if classes == 1 { // one number for two classes
		classes = 2
	}
	weights := make([]float32, classes)
	for i := range weights {
		weights[i] = 1
	}
	for class, w := range byClass {
		if class < 0 || class >= classes || !(w >= 0) {
			return nil, fmt.Errorf("expected ClassWeight of classes from 0 to %d and of at least 0, got %g for class %d", classes-1, w, class)
		}
		weights[class] = float32(w)
	}
	sparse := false // labels are class numbers
	if c, ok := m.compiled.Loss.(losses.Classes); ok {
		_, sparse = c.NumClasses(output)
	}
	out := ds.MapAll(func(b data.Nodes) data.Nodes {
		y := b.Y[0]
		last := y.Shape().Dimensions[y.Rank()-1]
		switch {
		case !sparse && y.Rank() > 1 && last > 1:
			y = graph.ArgMax(y, -1)
		case y.Rank() > 1 && last == 1:
			y = graph.Squeeze(y, -1)
		}
		y = graph.ConvertDType(y, dtypes.Int32)
		w := graph.Gather(graph.Const(y.Graph(), weights), graph.InsertAxes(y, -1))
		if b.W != nil {
			own := b.W
			for own.Rank() < w.Rank() {
				own = graph.InsertAxes(own, -1)
			}
			w = graph.Mul(w, own)
		}
		return data.Nodes{X: b.X, Y: b.Y, W: w}
	})
	// The same weights again need no new program.
	now := balance{before: source.Of(ds).Steps, weights: fmt.Sprint(weights, sparse), steps: source.Of(out).Steps}
	if last := m.balance; last.before == now.before && last.weights == now.weights {
		source.Of(out).Steps = last.steps
	} else {
		m.balance = now
	}
	return out, nil
}

// balance is the map that weighs classes, of the last Fit.
type balance struct {
	before, steps *source.Pipeline
	weights       string
}
