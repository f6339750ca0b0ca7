package viz

import (
	"fmt"
	"math"
	"strings"

	"github.com/gradbook/gradbook/dl"
)

// NetworkConfig says how Network draws.
type NetworkConfig struct {
	// Example is the example of the batch whose numbers are shown, from 0.
	Example int
	// Neurons is how many neurons of a layer are drawn; 0 means 10. Of a wider
	// layer the first are.
	Neurons int
}

// maxNetworkLayers is how many layers a network's drawing has.
const maxNetworkLayers = 12

// drawnLayer is a layer as Network draws it.
type drawnLayer struct {
	name          string
	value, slope  []float64 // of the neurons drawn
	width, before int       // neurons in all, and those drawn of the layer before
	weights       matrix    // [before, neurons]; empty if each neuron has one input
	weightSlopes  matrix
}

// Network draws a network of dense layers as neurons and weights, with what
// Model.Trace has found of it: with a slider, the activations flow forwards layer
// by layer, and then the gradients of the loss backwards. Blue is positive, red
// negative, and what is larger is stronger. The numbers are in the neurons.
//
//	loss, layers, err := model.Trace(x, labels)
//	chart, err := viz.Network(layers, loss, viz.NetworkConfig{})
func Network(layers []dl.LayerTrace, loss float64, c NetworkConfig) (*Chart, error) {
	all, err := drawnLayers(layers, c)
	if err != nil {
		return nil, fmt.Errorf("viz: network: %w", err)
	}
	tallest := 0
	for _, l := range all {
		tallest = max(tallest, len(l.value))
	}
	n := len(all)
	var frames []frame
	forward := func(upTo int) array { return networkSeries(all, tallest, upTo, n) }
	backward := func(downTo int) array { return networkSeries(all, tallest, n, downTo) }
	for i, l := range all {
		frames = append(frames, frame{say("forward %d of %d: %s", i+1, n, l.name), object{"series": forward(i + 1)}})
	}
	frames = append(frames, frame{say("loss %s", shortNumber(loss)), object{"series": forward(n)}})
	for i := n - 1; i >= 0; i-- {
		frames = append(frames, frame{say("backward: gradients of %s", all[i].name), object{"series": backward(i)}})
	}
	option := optionOf{
		"tooltip": tooltip("item"),
		"xAxis":   object{"type": "value", "show": false, "min": -0.5, "max": float64(n) - 0.5},
		"yAxis":   object{"type": "value", "show": false, "min": -0.9, "max": float64(tallest) - 0.3, "inverse": true},
		"grid":    object{"left": 8, "right": 8, "top": 8, "bottom": 8},
		"series":  forward(n),
	}
	chart, err := newChart(object(option), networkText(all, loss))
	if err != nil {
		return nil, err
	}
	chart.frames, chart.still = frames, n
	chart.height, chart.staticWidth, chart.fixed = max(220, tallest*52+50), max(420, n*150), true
	return chart, nil
}

func drawnLayers(layers []dl.LayerTrace, c NetworkConfig) ([]drawnLayer, error) {
	if len(layers) == 0 || len(layers) > maxNetworkLayers {
		return nil, fmt.Errorf("expected from 1 to %d layers, got %d", maxNetworkLayers, len(layers))
	}
	neurons := c.Neurons
	if neurons == 0 {
		neurons = 10
	}
	if neurons < 1 || neurons > 40 {
		return nil, fmt.Errorf("expected from 1 to 40 neurons a layer, got %d", neurons)
	}
	var all []drawnLayer
	for _, t := range layers {
		out, err := matrixOf(t.Output, fmt.Sprintf("layer %q", t.Layer))
		if err != nil {
			return nil, fmt.Errorf("%w; a network of dense layers is drawn neuron by neuron, ModelDiagram draws all others", err)
		}
		if c.Example < 0 || c.Example >= out.rows {
			return nil, fmt.Errorf("expected an example from 0 to %d, got %d", out.rows-1, c.Example)
		}
		l := drawnLayer{name: t.Layer, width: out.cols, value: out.row(c.Example)[:min(out.cols, neurons)]}
		if t.OutputGradient != nil {
			slope, err := matrixOf(t.OutputGradient, fmt.Sprintf("layer %q: gradient", t.Layer))
			if err != nil {
				return nil, err
			}
			l.slope = slope.row(c.Example)[:len(l.value)]
		}
		if len(all) > 0 {
			l.before = len(all[len(all)-1].value)
		}
		if kernel := t.Weights["kernel"]; kernel != nil && l.before > 0 {
			if l.weights, err = matrixOf(kernel, fmt.Sprintf("layer %q: kernel", t.Layer)); err != nil {
				return nil, err
			}
			if slopes := t.WeightGradients["kernel"]; slopes != nil {
				if l.weightSlopes, err = matrixOf(slopes, fmt.Sprintf("layer %q: gradient of the kernel", t.Layer)); err != nil {
					return nil, err
				}
			}
		}
		all = append(all, l)
	}
	return all, nil
}

// networkSeries draws the network with the activations of the first layers, and
// the gradients of the layers from some on.
func networkSeries(all []drawnLayer, tallest, forward, backward int) array {
	y := func(l drawnLayer, i int) float64 { return float64(tallest-len(l.value))/2 + float64(i) }
	var nodes, edges array
	for x, l := range all {
		slopes := x >= backward
		values := l.value
		if slopes && l.slope != nil {
			values = l.slope
		}
		most := strongest(values)
		for i, v := range values {
			known := x < forward
			item := object{"value": array{x, y(l, i)}, "itemStyle": object{"color": "#e2e8f0", "borderColor": "#94a3b8", "borderWidth": 1}, "label": object{"show": false}}
			words := say("%s, neuron %d", l.name, i)
			if known {
				item["itemStyle"] = object{"color": signed(v, most), "borderColor": "#475569", "borderWidth": 1}
				item["label"] = object{"show": true, "formatter": shortNumber(v)}
				words += say("\nactivation %.5g", l.value[i])
				if l.slope != nil && slopes {
					words += say("\ngradient of the loss %.5g", l.slope[i])
				}
			}
			item["words"] = words
			nodes = append(nodes, item)
		}
		caption := l.name
		if l.width > len(l.value) {
			caption += say(" (%d of %d)", len(l.value), l.width)
		}
		nodes = append(nodes, object{
			"value": array{x, -0.62}, "symbolSize": 1, "itemStyle": object{"color": "transparent"}, "words": caption,
			"label": object{"show": true, "formatter": literal(caption), "fontSize": 12, "color": "#64748b", "width": 140, "overflow": "truncate"},
		})
		edges = append(edges, l.edges(all, x, y, forward, backward)...)
	}
	return array{
		object{"id": "weights", "type": "lines", "coordinateSystem": "cartesian2d", "data": edges, "z": 1, "animation": false},
		object{"id": "neurons", "type": "scatter", "data": nodes, "symbolSize": 38, "z": 2, "itemStyle": object{"opacity": 1}, "label": object{"fontSize": 11, "position": "inside"}},
	}
}

// edges are the weights that lead to a layer.
func (l drawnLayer) edges(all []drawnLayer, x int, y func(drawnLayer, int) float64, forward, backward int) array {
	if x == 0 {
		return nil
	}
	from := all[x-1]
	weights, what := l.weights, say("weight")
	if x >= backward && l.weightSlopes.v != nil {
		weights, what = l.weightSlopes, say("gradient of the weight")
	}
	most := strongest(weights.v)
	var out array
	for j := range l.value {
		for i := range from.value {
			style := object{"color": "#cbd5e1", "width": 1, "opacity": 0.6}
			words := fmt.Sprintf("%s %d → %s %d", from.name, i, l.name, j)
			switch {
			case weights.v == nil && i != j:
				continue // an activation, a dropout: neuron by neuron
			case weights.v != nil && i < weights.rows && j < weights.cols:
				v := weights.at(i, j)
				words += fmt.Sprintf("\n%s %.5g", what, v)
				if x < forward {
					style = object{"color": signed(math.Copysign(most, v), most), "width": 0.5 + 4*math.Abs(v)/max(most, math.SmallestNonzeroFloat64), "opacity": 0.75}
				}
			}
			out = append(out, object{"coords": array{array{x - 1, y(from, i)}, array{x, y(l, j)}}, "lineStyle": style, "words": words})
		}
	}
	return out
}

func strongest(v []float64) float64 {
	low, high, found := span(v)
	if !found {
		return 0
	}
	return max(-low, high)
}

// signed is a colour for a value, blue if it is positive.
func signed(v, most float64) string {
	c := scale{-max(most, 1e-30), max(most, 1e-30), signedRamp}.color(v)
	return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)
}

// literal keeps what echarts would take for a place to fill in: {a}, {b}.
func literal(s string) string {
	return strings.ReplaceAll(visible(s), "{", "{\u2060")
}

func networkText(all []drawnLayer, loss float64) string {
	text := say("network of %d layers, loss %s", len(all), shortNumber(loss))
	for _, l := range all {
		text += say("\n%s, %d neurons:", l.name, l.width)
		for _, v := range l.value {
			text += " " + shortNumber(v)
		}
	}
	return text
}
