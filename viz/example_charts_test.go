package viz_test

import (
	"context"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/fairness"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/schedules"
	"github.com/gradbook/gradbook/viz"
)

// show prints a chart's words, as a program that is not a notebook does.
func show(v viz.Viewable, err error) {
	if err == nil {
		err = viz.Show(v)
	}
	if err != nil {
		fmt.Println(err)
	}
}

// xor is a small network and its four examples.
func xor() (*dl.Model, *data.Dataset, *tensors.Tensor, *tensors.Tensor) {
	x, y := [][]float32{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, []float32{0, 1, 1, 0}
	dl.SetRandomSeed(1)
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 2, Activation: activations.Tanh}, layers.Dense{Units: 1, Activation: activations.Sigmoid})
	if err != nil {
		panic(err)
	}
	if err := m.Compile(dl.CompileConfig{Optimizer: optimizers.SGD{LearningRate: 0.1}, Loss: losses.BinaryCrossentropy{}}); err != nil {
		panic(err)
	}
	ds, err := data.FromSlices(x, y)
	if err != nil {
		panic(err)
	}
	return m, ds, tensors.FromValue(x), tensors.FromValue(y)
}

func ExampleCompareRuns() {
	run := func(loss ...float64) *dl.History {
		return &dl.History{Names: []string{"loss"}, Metrics: map[string][]float64{"loss": loss}}
	}
	show(viz.CompareRuns(viz.Run{Name: "SGD", History: run(0.5)}, viz.Run{Name: "Adam", History: run(0.25)}))
	// Output:
	// SGD
	// epoch          loss
	//     1        0.5000
	// Adam
	// epoch          loss
	//     1        0.2500
}

func ExampleTrainingPlot() {
	m, ds, _, _ := xor()
	plot := &viz.TrainingPlot{} // draws below the cell while Fit runs
	if _, err := m.Fit(context.Background(), ds, dl.FitConfig{Epochs: 3, Silent: true, Callbacks: []callbacks.Callback{plot}}); err != nil {
		fmt.Println(err)
	}
	chart, err := plot.Chart()
	fmt.Println(chart != nil, err)
	// Output: true <nil>
}

func ExampleNetwork() {
	m, _, x, y := xor()
	if err := m.SetWeights([]*tensors.Tensor{
		tensors.FromValue([][]float32{{1, -1}, {1, -1}}), tensors.FromValue([]float32{0, 1}), tensors.FromValue([][]float32{{1}, {1}}), tensors.FromValue([]float32{0}),
	}); err != nil {
		fmt.Println(err)
	}
	loss, trace, err := m.Trace(x, y)
	if err != nil {
		fmt.Println(err)
	}
	show(viz.Network(trace, loss, viz.NetworkConfig{Example: 1}))
	// Output:
	// network of 3 layers, loss 0.68
	// input_layer, 2 neurons: 0 1
	// dense, 2 neurons: 0.76 0
	// dense_1, 1 neurons: 0.68
}

func ExampleFilters() {
	show(viz.Filters(tensors.FromFlatDataAndDimensions([]float32{-1, 0, 1, -2, 0, 2, -1, 0, 1}, 3, 3, 1, 1), 0))
	// Output: 1 filters of 3 × 3, values from -2 to 2
}

func ExampleFeatureMaps() {
	show(viz.FeatureMaps(tensors.FromFlatDataAndDimensions(make([]float32, 6*6*4), 6, 6, 4)))
	// Output: 4 channels of 6 × 6, values from 0 to 1
}

func ExampleConvolution() {
	image := tensors.FromValue([][]float32{{0, 0, 1, 1}, {0, 0, 1, 1}, {0, 0, 1, 1}})
	edges := tensors.FromValue([][]float32{{-1, 1}})
	show(viz.Convolution(image, edges, viz.ConvolutionConfig{}))
	// Output: convolution of 3 × 4 with 1 × 2, stride 1, to 3 × 3
}

func ExampleHeatmap() {
	show(viz.Heatmap(tensors.FromValue([][]float32{{1, 2}, {3, -4}}), viz.HeatmapConfig{Rows: []string{"a", "b"}, ColumnsName: "feature"}))
	// Output: heat map of 2 × 2 values from -4 to 4
}

func ExampleAttentionMap() {
	words := []string{"le", "chat"}
	show(viz.AttentionMap(tensors.FromValue([][]float32{{0.9, 0.1}, {0.2, 0.8}}), words, []string{"the", "cat"}))
	// Output: heat map of 2 × 2 values from 0 to 1
}

func ExampleHiddenStates() {
	states := tensors.FromValue([][]float32{{0, 0.5}, {0.3, 0.1}, {0.9, 0.2}}) // 3 steps of 2 units
	show(viz.HiddenStates(states, []string{"c", "a", "t"}))
	// Output: heat map of 2 × 3 values from 0 to 0.90
}

func ExampleROC() {
	show(viz.ROC([]int{0, 0, 1, 1}, []float64{0.1, 0.4, 0.35, 0.8}))
	// Output: ROC curve, area 0.7500
}

func ExamplePrecisionRecall() {
	show(viz.PrecisionRecall([]int{0, 0, 1, 1}, []float64{0.1, 0.4, 0.35, 0.8}))
	// Output: precision and recall, average precision 0.8333
}

func ExampleCalibration() {
	show(viz.Calibration([]float64{0.9, 0.9, 0.9, 0.3}, []bool{true, true, false, false}, 10))
	// Output:
	// calibration, expected error 0.2500
	// 0.300: right in 0.000 of 1
	// 0.900: right in 0.667 of 3
}

func ExampleLines() {
	var y []float64
	for i := range 100 {
		y = append(y, math.Sin(float64(i)/10))
	}
	show(viz.Lines(viz.LinesConfig{XName: "step"}, viz.Series{Name: "sine", Y: y}))
	// Output: lines; sine: 100 points from -1.00 to 1.00
}

func ExampleForecast() {
	past := viz.Series{Name: "measured", X: []float64{1, 2, 3}, Y: []float64{5, 6, 7}}
	next := viz.Series{Name: "forecast", X: []float64{4, 5}, Y: []float64{8, 9}}
	show(viz.Forecast(past, next, []float64{7.5, 8}, []float64{8.5, 10}))
	// Output: lines; measured: 3 points from 5 to 7; forecast: 2 points from 8 to 9
}

func ExampleLearningRate() {
	show(viz.LearningRate(100, map[string]schedules.Schedule{"cosine": schedules.CosineDecay{InitialLearningRate: 1, DecaySteps: 99}}))
	// Output: lines; cosine: 100 points from 0 to 1
}

func ExampleLandscape() {
	bowl := viz.Landscape{
		Loss:  func(x, y float64) float64 { return x*x + 4*y*y },
		Paths: []viz.Path{{Name: "SGD", Steps: [][2]float64{{0.8, 0.8}, {0.4, 0.1}, {0, 0}}}},
	}
	show(bowl.Contour())
	show(bowl.Surface())
	// Output:
	// loss landscape; SGD: 2 steps to (0, 0), loss 0
	// loss landscape; SGD: 2 steps to (0, 0), loss 0
}

func ExampleDecisionBoundary() {
	m, _, x, _ := xor()
	show(viz.DecisionBoundary(viz.ModelClassifier(context.Background(), m), x, []int{0, 1, 1, 0}, []string{"equal", "different"}))
	// Output: decision boundary among 4 points; equal: 2; different: 2
}

func ExampleBoundaryRecorder() {
	m, ds, x, _ := xor()
	boundary := &viz.BoundaryRecorder{Points: x, Labels: []int{0, 1, 1, 0}, Classes: []string{"equal", "different"}}
	if _, err := m.Fit(context.Background(), ds, dl.FitConfig{Epochs: 3, Silent: true, Callbacks: []callbacks.Callback{boundary}}); err != nil {
		fmt.Println(err)
	}
	show(boundary.Chart())
	// Output: decision boundary among 4 points; equal: 2; different: 2
}

func ExampleCompareBoundaries() {
	m, ds, x, _ := xor()
	two := []*viz.BoundaryRecorder{{Name: "first"}, {Name: "second"}}
	for _, r := range two {
		r.Points, r.Labels, r.Classes = x, []int{0, 1, 1, 0}, []string{"equal", "different"}
		if _, err := m.Fit(context.Background(), ds, dl.FitConfig{Epochs: 3, Silent: true, Callbacks: []callbacks.Callback{r}}); err != nil {
			panic(err)
		}
	}
	show(viz.CompareBoundaries(two...))
	// Output: decision boundaries: first: 4 points; equal: 2; different: 2 | second: 4 points; equal: 2; different: 2
}

func ExampleRecorder() {
	m, ds, x, y := xor()
	recorder := &viz.Recorder{X: x, Labels: y}
	if _, err := m.Fit(context.Background(), ds, dl.FitConfig{Epochs: 3, Silent: true, Callbacks: []callbacks.Callback{recorder}}); err != nil {
		fmt.Println(err)
	}
	weights, err := recorder.Weights()
	fmt.Println(weights != nil, err)
	norms, err := recorder.GradientNorms()
	fmt.Println(norms != nil, err)
	// Output:
	// true <nil>
	// true <nil>
}

func ExampleEmbedding() {
	points, explained, err := viz.PCA(tensors.FromValue([][]float64{{1, 2, 3}, {2, 4, 6}, {3, 6, 9}}))
	fmt.Printf("%.2f %v\n", explained[0], err)
	show(viz.Embedding(points, []int{0, 0, 1}, []string{"low", "high"}))
	// Output:
	// 1.00 <nil>
	// embedding of 3 points; low: 2; high: 1
}

func ExampleTSNE() {
	x := tensors.FromValue([][]float64{{0, 0}, {0, 1}, {1, 0}, {9, 9}, {9, 8}, {8, 9}})
	points, _, err := viz.TSNE(context.Background(), x, viz.TSNEConfig{Perplexity: 2})
	fmt.Println(points.Shape(), err)
	// Output: (Float32)[6, 2] <nil>
}

func ExampleSaliency() {
	show(viz.Saliency(image.NewGray(image.Rect(0, 0, 28, 28)), tensors.FromValue([][]float32{{0, 1}, {0.5, 0}})))
	// Output: saliency over an image of 28 × 28
}

func ExampleAttribution() {
	show(viz.Attribution(image.NewGray(image.Rect(0, 0, 28, 28)), tensors.FromValue([][]float32{{0, 1}, {-0.5, 0}})))
	// Output: attributions over an image of 28 × 28, from -0.50 to 1
}

func ExampleAttributedWords() {
	show(viz.AttributedWords([]string{"not", "good"}, tensors.FromValue([]float32{-0.8, 0.3})))
	// Output: not (-0.80) good (0.30)
}

func ExampleAttributedFeatures() {
	show(viz.AttributedFeatures([]string{"age = 22", "parole = yes"}, tensors.FromValue([]float32{0.1, -0.4}), 0))
	// Output:
	// attributions of 2 of 2 columns
	// parole = yes: -0.40
	// age = 22: 0.10
}

func ExampleFairness() {
	r, err := fairness.Measure(fairness.Cases{
		Labels: []int{1, 0, 1, 0}, Selected: []int{1, 1, 1, 0}, Groups: []string{"a", "a", "b", "b"},
	})
	if err != nil {
		panic(err)
	}
	c, err := viz.Fairness(r)
	fmt.Println(strings.Split(c.String(), "\n")[0], err)
	// Output: group  cases  label 1      selected      true positives  false positives  precision     accuracy <nil>
}

func ExampleValue() {
	show(viz.Value(tensors.FromValue([][]float32{{1, 2}, {3, 4.5}})), nil)
	// Output:
	// Float32[2 2] from 1 to 4.5
	// [1 2]
	// [3 4.5]
}

func ExampleDisplay() {
	place := viz.NewDisplay()
	for i := range 2 { // in a notebook, the second takes the place of the first
		c, err := viz.Lines(viz.LinesConfig{}, viz.Series{Name: "s", Y: []float64{0, float64(i)}})
		if err == nil {
			err = place.Show(c)
		}
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// lines; s: 2 points from 0 to 0
	// lines; s: 2 points from 0 to 1
}

func ExampleChart_Save() {
	dir, err := os.MkdirTemp("", "charts")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	c, err := viz.Lines(viz.LinesConfig{}, viz.Series{Name: "s", Y: []float64{1, 2}})
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"chart.svg", "chart.png", "chart.html"} {
		fmt.Println(name, c.Titled("A chart").Save(filepath.Join(dir, name)))
	}
	// Output:
	// chart.svg <nil>
	// chart.png <nil>
	// chart.html <nil>
}

func ExampleFlameChart() {
	show(viz.FlameChart(viz.Flame{Name: "all", Children: []viz.Flame{{Name: "read", Value: 1}, {Name: "train", Value: 3}}}, nil))
	// Output: flame chart: 4 in all; train 75 %; read 25 %
}
