// Package quantize makes models of whole numbers out of models of floats that have been trained.
//
// Source: Jacob et al., Quantization and Training of Neural Networks for Efficient
// Integer-Arithmetic-Only Inference, 2018, https://arxiv.org/abs/1712.05877; Krishnamoorthi, Quantizing deep
// convolutional networks for efficient inference, 2018, https://arxiv.org/abs/1806.08342 (a scale for each filter)
package quantize

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/apart"
	"github.com/gradbook/gradbook/dl/internal/fault"
	"github.com/gradbook/gradbook/dl/internal/native"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/layers"
)

// Model makes a model like m, whose layers are quantized but for those named in keep. It is compiled as m is.
func Model(ctx context.Context, m *train.Model, ds *data.Dataset, pass train.PassConfig, keep []string, create func(network.Kind) *network.Network) (*train.Model, error) {
	if !m.Built() {
		return nil, &fault.NotBuiltError{Model: m.Name}
	}
	if err := known(m.Network, keep); err != nil {
		return nil, err
	}
	found, err := m.Ranges(ctx, ds, pass)
	if err != nil {
		return nil, err
	}
	for l, r := range found {
		if counterpart(l, r) != nil && !slices.Contains(keep, l.Name) && (r.Low-r.Low != 0 || r.High-r.High != 0) {
			return nil, fmt.Errorf("%s: expected finite numbers, got inputs from %v to %v", l, r.Low, r.High)
		}
	}
	some := false
	n, copies, err := m.CloneWith(create, func(l *network.Layer) layers.Layer {
		r, ok := found[l]
		if !ok || slices.Contains(keep, l.Name) {
			return nil
		}
		made := counterpart(l, r)
		some = some || made != nil
		return made
	})
	if err != nil {
		return nil, err
	}
	if !some {
		return nil, fmt.Errorf("expected a layer to quantize in model %q: a Dense, Conv1D or Conv2D that adds up %d to %d products for each number of its result, in one group", m.Name, least, most)
	}
	m.Lock.Lock()
	defer m.Lock.Unlock()
	for from, to := range copies {
		if err := convey(from, to); err != nil {
			return nil, fmt.Errorf("%s: %w", from, err)
		}
	}
	made := train.New(n)
	if c, ok := m.Config(); ok {
		if err := made.Compile(c); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// known reports a name of keep that no layer has.
func known(n *network.Network, keep []string) error {
	all := make(map[string]bool)
	var walk func(n *network.Network)
	walk = func(n *network.Network) {
		for _, l := range n.Layers {
			all[l.Name] = true
			if inner := l.Nested(); inner != nil {
				walk(inner)
			}
		}
	}
	walk(n)
	for _, name := range keep {
		if !all[name] {
			return fmt.Errorf("expected names of layers of model %q in Keep, got %q", n.Name, name)
		}
	}
	return nil
}

// stepsOf divides a range, to which 0 belongs, into 255 steps of a scale; zero is the one that stands for 0.
func stepsOf(r train.Range) (scale float64, zero int) {
	low, high := min(float64(r.Low), 0), max(float64(r.High), 0)
	scale = (high - low) / 255
	if scale < 1e-30 { // it is always 0
		return 1, 0
	}
	return scale, int(math.Round(-low / scale))
}

// least is how many products a number of a result has to be made of. With fewer, whole numbers are slower
// than floats: what a window sees of images of one channel is nine. With more than most, sums might not fit into
// 32 bits.
const (
	least = 32
	most  = native.MostProducts
)

// counterpart is the layer that a layer becomes; nil if it stays as it is.
func counterpart(l *network.Layer, r train.Range) layers.Layer {
	var made layers.Layer
	scale, zero := stepsOf(r)
	switch c := apart.Value(l.Config).(type) {
	case layers.Dense:
		made = layers.QuantizedDense{
			Units: c.Units, Activation: c.Activation, NoBias: c.NoBias, InputScale: scale, InputZero: zero, Name: c.Name,
		}
	case layers.Conv1D:
		if c.Groups > 1 {
			return nil
		}
		made = layers.QuantizedConv1D{
			Filters: c.Filters, KernelSize: c.KernelSize, Strides: c.Strides, Padding: c.Padding, DilationRate: c.DilationRate,
			Activation: c.Activation, NoBias: c.NoBias, InputScale: scale, InputZero: zero, Name: c.Name,
		}
	case layers.Conv2D:
		if c.Groups > 1 {
			return nil
		}
		made = layers.QuantizedConv2D{
			Filters: c.Filters, KernelSize: c.KernelSize, Strides: c.Strides, Padding: c.Padding, DilationRate: c.DilationRate,
			Activation: c.Activation, NoBias: c.NoBias, InputScale: scale, InputZero: zero, Name: c.Name,
		}
	default:
		return nil
	}
	shape := l.Spec.Weights[0].Shape
	if n := shape.Size() / last(shape); n < least || n > most {
		return nil
	}
	return made
}

// convey gives a layer's weights to that which stands for it.
func convey(from, to *network.Layer) error {
	if to.Nested() != nil {
		return nil // whose layers get them
	}
	quantized := len(to.Spec.Weights) > 1 && to.Spec.Weights[0].Run > 0 && from.Spec.Weights[0].Run == 0
	for i, v := range from.Weights {
		values, err := v.Values()
		if err != nil {
			return err
		}
		switch {
		case !quantized:
			to.Weights[i].Set(values)
		case i == 0:
			whole, scales, err := rounded(values, last(from.Spec.Weights[0].Shape))
			if err != nil {
				return fmt.Errorf("weight %q: %w", from.Spec.Weights[0].Name, err)
			}
			to.Weights[0].Set(whole)
			to.Weights[1].Set(scales)
		default:
			to.Weights[i+1].Set(values)
		}
	}
	return nil
}

func last(s layers.Shape) int { return s[len(s)-1] }

// rounded divides the weights of each filter, which is the last axis, by a scale of its own, so that the largest is
// 127, and rounds them.
func rounded(values []float32, filters int) (whole, scales []float32, err error) {
	scales = make([]float32, filters)
	for i, v := range values {
		if v-v != 0 {
			return nil, nil, fmt.Errorf("expected finite numbers, got %v", v)
		}
		scales[i%filters] = max(scales[i%filters], float32(math.Abs(float64(v))))
	}
	for f, largest := range scales {
		if scales[f] = largest / 127; scales[f] < 1e-36 { // all are 0
			scales[f] = 1
		}
	}
	whole = make([]float32, len(values))
	for i, v := range values {
		whole[i] = float32(math.RoundToEven(float64(v) / float64(scales[i%filters])))
	}
	return whole, scales, nil
}
