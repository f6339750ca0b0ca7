package train

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/metrics"
)

// measure is something that is measured in training and evaluation. It is computed
// on the device as sums over the examples, which are kept side by side in one
// vector, and read once they are asked for.
type measure struct {
	name   string
	size   int
	result func(sums []float64) float64
}

func meanOf(name string) measure {
	return measure{name, 2, func(s []float64) float64 { return s[0] / max(s[1], 1e-30) }}
}

// lay sets the measures for labels of these shapes: for each output its loss, if
// there are several, and its metrics; the loss comes last.
func (m *Model) lay(labels []layers.Shape) {
	c := m.compiled
	c.measures, c.labels = nil, fmt.Sprint(labels)
	names := m.OutputNames()
	for i, o := range m.trained() {
		for _, metric := range m.metricsOf(o) {
			name := metric.Name()
			if len(names) > 1 {
				name = names[o] + "_" + name
			}
			if a, ok := config.As[metrics.Accumulator](metric.Metric); ok {
				c.measures = append(c.measures, measure{name, a.Size(labels[i], m.Outputs[o].Shape), a.Result})
			} else {
				c.measures = append(c.measures, meanOf(name))
			}
		}
		if len(names) > 1 {
			c.measures = append(c.measures, meanOf(names[o]+"_loss"))
		}
	}
	c.measures = append(c.measures, meanOf("loss"))
}

// outputMetric is a metric of one output.
type outputMetric struct {
	metrics.Metric
	weighted bool
}

func (m *Model) metricsOf(output int) (all []outputMetric) {
	for _, metric := range slices.Concat(m.compiled.Metrics, m.compiled.OutputMetrics[m.OutputNames()[output]]) {
		all = append(all, outputMetric{metric, false})
	}
	for _, metric := range m.compiled.WeightedMetrics {
		all = append(all, outputMetric{metric, true})
	}
	return all
}

// metricNames are the names in logs: the metrics, then the loss.
func (c *compiled) metricNames() []string {
	var names []string
	for _, q := range c.measures {
		names = append(names, q.name)
	}
	return names
}

func (c *compiled) sumsShape() shapes.Shape {
	n := 0
	for _, q := range c.measures {
		n += q.size
	}
	return shapes.Make(dtypes.Float32, n)
}

// logs computes what is measured from the sums.
func (c *compiled) logs(sums []float32) callbacks.Logs {
	logs := make(callbacks.Logs, len(c.measures))
	for _, q := range c.measures {
		own := make([]float64, q.size)
		for i := range own {
			own[i] = float64(sums[i])
		}
		logs[q.name] = q.result(own)
		sums = sums[q.size:]
	}
	return logs
}

// Measure returns the mean loss of a batch, and the sums of all that is measured.
func (m *Model) Measure(f *network.Flow, y []*graph.Node, w *graph.Node) (loss, sums *graph.Node) {
	c, names := m.compiled, m.OutputNames()
	var all []*graph.Node
	var batch int
	for i, o := range m.trained() {
		raw := f.Values[m.Outputs[o]]
		output, mask := graph.ConvertDType(raw, dtypes.Float32), f.Masks[m.Outputs[o]]
		batch = output.Shape().Dimensions[0]
		l, from := m.lossFrom(f, c.lossOf(names[o]), raw, output)
		own := meanLoss(l.Compute(y[i], from), w, mask)
		for _, metric := range m.metricsOf(o) {
			weights := maskWeights(mask, w, metric.weighted)
			if a, ok := config.As[metrics.Accumulator](metric.Metric); ok {
				all = append(all, a.Sums(y[i], output, weights))
			} else {
				all = append(all, ops.MeanSums(metric.Compute(y[i], output), weights))
			}
		}
		if len(names) > 1 {
			all = append(all, ofBatch(own, 1)) // in Keras, each batch counts as much
		}
		if factor, ok := c.LossWeights[names[o]]; ok {
			own = graph.MulScalar(own, factor)
		}
		loss = plus(loss, own)
	}
	for _, extra := range m.penalties(f, dtypes.Float32) {
		loss = plus(loss, extra)
	}
	for i := range all {
		all[i] = graph.ConvertDType(all[i], dtypes.Float32)
	}
	return loss, graph.Concatenate(append(all, ofBatch(loss, batch)), 0)
}

// penalties are what layers and regularizers add to the loss, which is of type t.
func (m *Model) penalties(f *network.Flow, t dtypes.DType) []*graph.Node {
	all := slices.Clone(f.Pass.Losses)
	for _, w := range m.Weights {
		if w.Regularizer != nil && w.Trainable() {
			all = append(all, w.Regularizer.Cost(f.Nodes[w.Variable]))
		}
	}
	for i := range all {
		all[i] = graph.ConvertDType(all[i], t)
	}
	return all
}

// penalty is the sum of penalties; nil if there are none.
func (m *Model) penalty(f *network.Flow) (sum *graph.Node) {
	for _, p := range m.penalties(f, dtypes.Float32) {
		sum = plus(sum, p)
	}
	return sum
}

func plus(a, b *graph.Node) *graph.Node {
	if a == nil {
		return b
	}
	return graph.Add(a, b)
}

// ofBatch are the sums for the mean over examples of a batch's mean.
func ofBatch(mean *graph.Node, batch int) *graph.Node {
	n := graph.Scalar(mean.Graph(), mean.DType(), float64(batch))
	return graph.Stack([]*graph.Node{graph.Mul(mean, n), n}, 0)
}

// meanLoss is the mean of an output's losses, each times the weight of its example,
// over those that the mask lets count; weights do not change what it is divided by.
func meanLoss(values, w, mask *graph.Node) *graph.Node {
	wide := func(n *graph.Node) *graph.Node {
		n = graph.ConvertDType(n, values.DType())
		for n.Rank() > values.Rank() {
			n = graph.Squeeze(n, -1)
		}
		for n.Rank() < values.Rank() {
			n = graph.InsertAxes(n, -1)
		}
		return graph.BroadcastToDims(n, values.Shape().Dimensions...)
	}
	if w != nil {
		values = graph.Mul(values, wide(w))
	}
	if mask == nil || mask.Rank() > values.Rank() {
		return graph.ReduceAllMean(values)
	}
	counts := wide(mask)
	return graph.Div(graph.ReduceAllSum(graph.Mul(values, counts)), graph.MaxScalar(graph.ReduceAllSum(counts), 1e-7))
}

// maskWeights are the weights with which a metric counts; nil if they are all 1.
func maskWeights(mask, w *graph.Node, weighted bool) *graph.Node {
	if !weighted {
		w = nil
	}
	switch {
	case mask == nil:
		return w
	case w == nil:
		return graph.ConvertDType(mask, dtypes.Float32)
	}
	for w.Rank() < mask.Rank() {
		w = graph.InsertAxes(w, -1)
	}
	return graph.Mul(graph.ConvertDType(mask, dtypes.Float32), graph.BroadcastToDims(graph.ConvertDType(w, dtypes.Float32), mask.Shape().Dimensions...))
}

// NoMean is the name of a metric that is no mean over examples, "" if all are; ok is false for a
// model that is not compiled.
func (m *Model) NoMean() (name string, ok bool) {
	m.Lock.Lock()
	defer m.Lock.Unlock()
	if m.compiled == nil {
		return "", false
	}
	for _, o := range m.trained() {
		for _, metric := range m.metricsOf(o) {
			if _, sums := config.As[metrics.Accumulator](metric.Metric); sums {
				return metric.Name(), true
			}
		}
	}
	return "", true
}
