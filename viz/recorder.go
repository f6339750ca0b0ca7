package viz

import (
	"fmt"
	"math"
	"slices"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/callbacks"
)

// Recorder is a callback that keeps what goes on in the layers of a model while it
// learns: at the beginning and after each epoch it traces one batch. So it shows
// activations that die, gradients that vanish and weights that grow.
//
//	recorder := &viz.Recorder{X: x, Labels: labels}
//	model.Fit(ctx, train, dl.FitConfig{Epochs: 5, Callbacks: []callbacks.Callback{recorder}})
//	chart, err := recorder.GradientNorms()
type Recorder struct {
	callbacks.Base
	// X and Labels are the batch, as for Model.Trace.
	X, Labels *dl.Tensor
	// Every is the number of epochs between two records; 0 means that there are
	// about 20 records.
	Every int

	epochs  []int
	records []map[string]record // by layer
	layers  []string
}

// record is what was seen of one layer.
type record struct {
	weights, activations, gradients []float64 // a sample of them
	gradientNorm                    float64
}

// sampled is how many values of a layer are kept for its histograms.
const sampled = 5000

// OnTrainBegin implements callbacks.Callback.
func (r *Recorder) OnTrainBegin(t *callbacks.Training) error {
	r.epochs, r.records, r.layers = nil, nil, nil
	return r.record(t, 0)
}

// OnEpochEnd implements callbacks.Callback.
func (r *Recorder) OnEpochEnd(t *callbacks.Training, _ callbacks.Logs) error {
	if !due(t, r.Every) {
		return nil
	}
	return r.record(t, t.Epoch+1)
}

// due says whether the epoch that ends is to be recorded: each of some, or about 20
// in all, and the last.
func due(t *callbacks.Training, every int) bool {
	if every <= 0 {
		every = max(1, t.Epochs/20)
	}
	return (t.Epoch+1)%every == 0 || t.Epoch+1 == t.Epochs
}

func (r *Recorder) record(t *callbacks.Training, epoch int) error {
	_, traces, err := dl.ModelOf(t).Trace(r.X, r.Labels)
	if err != nil {
		return fmt.Errorf("viz: recorder: %w", err)
	}
	all := make(map[string]record)
	for _, l := range traces {
		if len(l.Weights) == 0 {
			continue
		}
		var rec record
		if rec.activations, err = floats(l.Output); err != nil {
			return fmt.Errorf("viz: recorder: layer %q: %w", l.Layer, err)
		}
		rec.activations = sample(rec.activations)
		square := 0.0
		for _, name := range sortedNames(l.Weights) {
			w, err := floats(l.Weights[name])
			if err != nil {
				return fmt.Errorf("viz: recorder: layer %q: %w", l.Layer, err)
			}
			rec.weights = append(rec.weights, w...)
			if l.WeightGradients[name] == nil {
				continue
			}
			g, err := floats(l.WeightGradients[name])
			if err != nil {
				return fmt.Errorf("viz: recorder: layer %q: %w", l.Layer, err)
			}
			for _, v := range g {
				square += v * v
			}
			rec.gradients = append(rec.gradients, g...)
		}
		rec.weights, rec.gradients, rec.gradientNorm = sample(rec.weights), sample(rec.gradients), math.Sqrt(square)
		if _, seen := all[l.Layer]; !seen && epoch == 0 {
			r.layers = append(r.layers, l.Layer)
		}
		all[l.Layer] = rec
	}
	r.epochs, r.records = append(r.epochs, epoch), append(r.records, all)
	return nil
}

func sortedNames[V any](m map[string]V) []string {
	var names []string
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// sample takes every n-th value of many.
func sample(v []float64) []float64 {
	if len(v) <= sampled {
		return v
	}
	out := make([]float64, sampled)
	for i := range out {
		out[i] = v[i*len(v)/sampled]
	}
	return out
}

func (r *Recorder) ready() error {
	if len(r.records) == 0 || len(r.layers) == 0 {
		return fmt.Errorf("viz: recorder: expected one that was a callback of Fit, on a model with weights; nothing is recorded")
	}
	return nil
}

// Weights draws a histogram of each layer's weights, with a slider for the epoch.
func (r *Recorder) Weights() (*Chart, error) {
	return r.histograms(say("weights"), func(rec record) []float64 { return rec.weights })
}

// Activations draws a histogram of what each layer with weights puts out, with a
// slider for the epoch.
func (r *Recorder) Activations() (*Chart, error) {
	return r.histograms(say("activations"), func(rec record) []float64 { return rec.activations })
}

// Gradients draws a histogram of the loss's gradient by each layer's weights, with
// a slider for the epoch.
func (r *Recorder) Gradients() (*Chart, error) {
	return r.histograms(say("gradients"), func(rec record) []float64 { return rec.gradients })
}

const (
	maxHistograms = 12
	bars          = 40
)

func (r *Recorder) histograms(what string, of func(record) []float64) (*Chart, error) {
	if err := r.ready(); err != nil {
		return nil, err
	}
	layers := r.drawn(of)
	if len(layers) == 0 {
		return nil, fmt.Errorf("viz: recorder: no layer has finite %s", what)
	}
	option := optionOf(panelled(layers))
	frames, text := make([]frame, len(r.records)), say("%s of each layer", what)
	for k := range frames {
		frames[k] = frame{say("epoch %d", r.epochs[k]), object{"series": array{}}}
	}
	for i, layer := range layers {
		low, high := r.bounds(layer, of)
		option.add("xAxis", axis("", i, object{
			"min": rounded(low), "max": rounded(high), "splitNumber": 3, "axisLabel": object{"showMinLabel": false, "showMaxLabel": false}, "splitLine": object{"show": false},
		}))
		option.add("yAxis", axis("", i, object{"axisLabel": object{"show": false}, "splitLine": object{"show": false}, "axisLine": object{"show": false}, "axisTick": object{"show": false}, "min": 0}))
		for k, rec := range r.records {
			series := object{
				"type": "bar", "id": fmt.Sprint(i), "name": visible(layer), "xAxisIndex": i, "yAxisIndex": i, "barWidth": "98%", "barGap": "-100%",
				"data": histogram(of(rec[layer]), low, high), "color": palette[i%len(palette)],
			}
			list := frames[k].Option["series"].(array)
			frames[k].Option["series"] = append(list, object{"id": fmt.Sprint(i), "data": series["data"]})
			if k == len(r.records)-1 {
				option.add("series", series)
			}
		}
		mean, deviation := moments(of(r.records[len(r.records)-1][layer]))
		text += fmt.Sprintf("; %s: mean %s, deviation %s", layer, shortNumber(mean), shortNumber(deviation))
	}
	option["tooltip"] = tooltip("item")
	c, err := curves(option, text)
	if err != nil {
		return nil, err
	}
	c.panels = &panels{Columns: 4, Height: 110, Least: 190, Above: 4, Left: 18, Bottom: 28}
	c.frames, c.still = frames, len(frames)-1
	return c, nil
}

// drawn are the layers with values, as of frozen ones there are no gradients; of many, the first
// and the last, and some in between.
func (r *Recorder) drawn(of func(record) []float64) (layers []string) {
	for _, l := range r.layers {
		if slices.ContainsFunc(r.records, func(rec map[string]record) bool {
			_, _, found := span(of(rec[l]))
			return found
		}) {
			layers = append(layers, l)
		}
	}
	if len(layers) <= maxHistograms {
		return layers
	}
	some := make([]string, maxHistograms)
	for i := range some {
		some[i] = layers[i*(len(layers)-1)/(maxHistograms-1)]
	}
	return some
}

// bounds are the least and the greatest of a layer's values, in all epochs.
func (r *Recorder) bounds(layer string, of func(record) []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, rec := range r.records {
		if l, h, found := span(of(rec[layer])); found {
			low, high = min(low, l), max(high, h)
		}
	}
	if !(high > low) {
		wide := max(0.5, math.Abs(low)*1e-9)
		low, high = low-wide, high+wide
	}
	return low, high
}

// histogram counts values in stretches of equal length: [middle, share].
func histogram(v []float64, low, high float64) array {
	counts := make([]int, bars)
	n := 0
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			continue
		}
		counts[min(max(int(bars*((x/2-low/2)/(high/2-low/2))), 0), bars-1)]++
		n++
	}
	var out array
	for b, c := range counts {
		out = append(out, array{rounded(low + (high-low)*(float64(b)+0.5)/bars), rounded(float64(c) / float64(max(n, 1)))})
	}
	return out
}

func moments(v []float64) (mean, deviation float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		deviation += (x - mean) * (x - mean) / float64(len(v))
	}
	return mean, math.Sqrt(deviation)
}

// GradientNorms draws the length of the loss's gradient by each layer's weights
// through the epochs, on a logarithmic axis. Layers far below the others learn
// nothing.
//
// Source: Glorot, Bengio, Understanding the difficulty of training deep
// feedforward neural networks, 2010.
func (r *Recorder) GradientNorms() (*Chart, error) {
	if err := r.ready(); err != nil {
		return nil, err
	}
	var series []Series
	for _, layer := range r.layers {
		s := Series{Name: layer}
		for k, rec := range r.records {
			s.X, s.Y = append(s.X, float64(r.epochs[k])), append(s.Y, rec[layer].gradientNorm)
		}
		series = append(series, s)
	}
	return Lines(LinesConfig{XName: say("epoch"), YName: say("norm of the gradient"), LogY: true}, series...)
}
