package train

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/source"
)

// Range is the smallest and the largest of some numbers.
type Range struct{ Low, High float32 }

// Ranges runs a dataset through the model, without training, and returns in which range what each layer gets
// is: of those in networks that are layers, too, and for layers that are called more than once all of it.
func (m *Model) Ranges(ctx context.Context, ds *data.Dataset, c PassConfig) (map[*network.Layer]Range, error) {
	m.Lock.Lock()
	defer m.Lock.Unlock()
	d, batch, err := m.toPass("quantize by", ds, c, false)
	if err != nil {
		return nil, err
	}
	portion := m.Portion(d, batch)
	if c.Steps > 0 {
		portion = batch // of which Steps counts
	}
	order := m.order()
	all := make(map[*network.Layer]Range)
	values := make([]float32, 2*len(order))
	none := func() []compute.Buffer { return nil }
	take := func(out []compute.Buffer, _ int) ([]compute.Buffer, error) {
		if err := out[0].ToFlatData(values); err != nil {
			return out[1:], err
		}
		for i, l := range order {
			r := Range{values[2*i], values[2*i+1]}
			if before, ok := all[l]; ok {
				r = Range{min(r.Low, before.Low), max(r.High, before.High)}
			}
			all[l] = r
		}
		return out[1:], nil
	}
	if _, err := m.pass(ctx, ranges, d, source.Of(ds), portion, c.Steps, none, take); err != nil {
		return nil, err
	}
	if len(all) == 0 && len(order) > 0 {
		return nil, fmt.Errorf("expected at least one example to quantize by, got an empty dataset")
	}
	return all, nil
}

// order is the layers as they are first called, also those of networks that are layers.
func (m *Model) order() (all []*network.Layer) {
	seen := make(map[*network.Layer]bool)
	var walk func(n *network.Network)
	walk = func(n *network.Network) {
		for _, c := range n.Calls {
			if seen[c.Layer] {
				continue
			}
			seen[c.Layer] = true
			all = append(all, c.Layer)
			if inner := c.Layer.Nested(); inner != nil {
				walk(inner)
			}
		}
	}
	walk(m.Network)
	return all
}

// watched is a pass without training with the smallest and the largest number of what each layer gets, in
// the order of order: float32 [2·layers].
func (m *Model) watched(weights, x []*graph.Node, random *graph.Node) (f *network.Flow, all *graph.Node) {
	lows, highs := make(map[*network.Layer]*graph.Node), make(map[*network.Layer]*graph.Node)
	f = m.ForwardWatched(weights, x, random, func(l *network.Layer, x []*graph.Node) {
		for _, n := range x {
			n = graph.ConvertDType(n, dtypes.Float32)
			low, high := graph.ReduceAllMin(n), graph.ReduceAllMax(n)
			if lows[l] != nil {
				low, high = graph.Min(low, lows[l]), graph.Max(high, highs[l])
			}
			lows[l], highs[l] = low, high
		}
	})
	var ends []*graph.Node
	for _, l := range m.order() {
		ends = append(ends, lows[l], highs[l])
	}
	return f, graph.Stack(ends, 0)
}
