package viz_test

import (
	"context"
	"flag"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/datasets"
	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/explain"
	"github.com/gradbook/gradbook/dl/fairness"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/schedules"
	"github.com/gradbook/gradbook/viz"
)

var galleryDir = flag.String("gallery", "", "write the pictures of docs/gallery.md, and the page, to this folder")

// shown is a picture of the gallery.
type shown struct {
	name, call, words string
	make              func() (viz.Viewable, error)
}

// gallery is every chart, of real trainings.
func gallery(t *testing.T) []shown {
	t.Helper()
	s, d, r := spirals(t), digits(t), recurrence(t)
	ctx := context.Background()
	must := func(v viz.Viewable, err error) (viz.Viewable, error) { return v, err }
	chart := func(c *viz.Chart, err error) (viz.Viewable, error) { return must(c, err) }
	picture := func(p *viz.Picture, err error) (viz.Viewable, error) { return must(p, err) }
	return []shown{
		{"training-curves", "TrainingCurves(history)", "loss and metrics by epoch, training beside validation", func() (viz.Viewable, error) { return chart(viz.TrainingCurves(s.history)) }},
		{"compare-runs", "CompareRuns(runs...)", "several trainings in the same panels; the training's curves are dashed", func() (viz.Viewable, error) {
			return chart(viz.CompareRuns(viz.Run{Name: "two hidden layers", History: s.history}, viz.Run{Name: "none", History: s.shallow}))
		}},
		{"training-plot", "TrainingPlot", "a callback that draws while Fit runs, and stays", func() (viz.Viewable, error) { return chart(s.plot.Chart()) }},
		{"confusion", "ConfusionMatrix(labels, predicted, classes)", "which class is taken for which", func() (viz.Viewable, error) { return chart(viz.ConfusionMatrix(d.labels, d.predicted, d.classes)) }},
		{"images", "ImageGrid(images, config)", "images with labels and predictions", func() (viz.Viewable, error) {
			return picture(viz.ImageGrid(d.images[:16], viz.ImageGridConfig{Captions: d.captions[:16], Wrong: d.wrong[:16]}))
		}},
		{"network", "Network(layers, loss, config)", "activations forwards and gradients backwards through a network's neurons, step by step", func() (viz.Viewable, error) {
			loss, layers, err := s.model.Trace(s.oneX, s.oneY)
			if err != nil {
				return nil, err
			}
			return chart(viz.Network(layers, loss, viz.NetworkConfig{Neurons: 8}))
		}},
		{"model-diagram", "ModelDiagram(diagram)", "a model's layers, and what each takes its input from", func() (viz.Viewable, error) {
			diagram, err := d.model.Diagram()
			if err != nil {
				return nil, err
			}
			return chart(viz.ModelDiagram(diagram))
		}},
		{"filters", "Filters(kernel, in)", "the kernels of a convolution", func() (viz.Viewable, error) { return picture(viz.Filters(d.traces[1].Weights["kernel"], 0)) }},
		{"feature-maps", "FeatureMaps(maps)", "what a convolution makes of an image", func() (viz.Viewable, error) { return picture(viz.FeatureMaps(d.traces[1].Output)) }},
		{"convolution", "Convolution(image, kernel, config)", "a kernel slides over an image, with the sum at each place", func() (viz.Viewable, error) {
			img := tensors.FromValue([][]float32{{0, 0, 0, 1, 1, 1}, {0, 0, 0, 1, 1, 1}, {0, 0, 1, 1, 1, 0}, {0, 0, 1, 1, 1, 0}, {0, 1, 1, 1, 0, 0}, {0, 1, 1, 1, 0, 0}})
			kernel := tensors.FromValue([][]float32{{-1, 0, 1}, {-2, 0, 2}, {-1, 0, 1}})
			return chart(viz.Convolution(img, kernel, viz.ConvolutionConfig{}))
		}},
		{"hidden-states", "HiddenStates(states, steps)", "the states of a recurrent layer through time", func() (viz.Viewable, error) {
			return chart(viz.HiddenStates(r, strings.Split("the quick brown fox jumps", "")))
		}},
		{"attention", "AttentionMap(scores, queries, keys)", "which query attends to which key, with a slider through the heads", func() (viz.Viewable, error) {
			words := strings.Fields("the cat sat on the mat")
			return chart(viz.AttentionMap(attention(2, len(words)), words, words))
		}},
		{"weights", "Recorder.Weights()", "histograms of each layer's weights through training; Activations and Gradients likewise", func() (viz.Viewable, error) { return chart(s.recorder.Weights()) }},
		{"activations", "Recorder.Activations()", "", func() (viz.Viewable, error) { return chart(s.recorder.Activations()) }},
		{"gradients", "Recorder.Gradients()", "", func() (viz.Viewable, error) { return chart(s.recorder.Gradients()) }},
		{"gradient-norms", "Recorder.GradientNorms()", "how much each layer learns", func() (viz.Viewable, error) { return chart(s.recorder.GradientNorms()) }},
		{"boundary", "BoundaryRecorder.Chart()", "the decision boundary of a classifier of points while it learns; DecisionBoundary is one of them", func() (viz.Viewable, error) { return chart(s.boundary.Chart()) }},
		{"boundaries", "CompareBoundaries(recorders...)", "several of them side by side", func() (viz.Viewable, error) {
			return chart(viz.CompareBoundaries(s.shallowBoundary, s.boundary))
		}},
		{"contour", "Landscape.Contour()", "a loss from above, with the paths of optimizers", func() (viz.Viewable, error) { return chart(valley().Contour()) }},
		{"surface", "Landscape.Surface()", "the same in space, to be turned", func() (viz.Viewable, error) { return chart(valley().Surface()) }},
		{"learning-rate", "LearningRate(steps, schedules)", "learning-rate schedules", func() (viz.Viewable, error) {
			return chart(viz.LearningRate(2000, map[string]schedules.Schedule{
				"cosine":      schedules.CosineDecay{InitialLearningRate: 1e-3, DecaySteps: 2000},
				"exponential": schedules.ExponentialDecay{InitialLearningRate: 1e-3, DecaySteps: 400, DecayRate: 0.5},
			}))
		}},
		{"roc", "ROC(labels, scores)", "the trade between found and falsely found, with the area", func() (viz.Viewable, error) { return chart(viz.ROC(d.isEight, d.eight)) }},
		{"precision-recall", "PrecisionRecall(labels, scores)", "the trade between precision and recall", func() (viz.Viewable, error) { return chart(viz.PrecisionRecall(d.isEight, d.eight)) }},
		{"calibration", "Calibration(probabilities, right, bins)", "whether a model is as often right as it is sure", func() (viz.Viewable, error) { return chart(viz.Calibration(d.sure, d.right, 10)) }},
		{"pca", "Embedding(points, labels, classes) of PCA(features)", "features in the plane in which they differ most", func() (viz.Viewable, error) {
			points, _, err := viz.PCA(d.features)
			if err != nil {
				return nil, err
			}
			return chart(viz.Embedding(points, d.labels[:d.features.Shape().Dimensions[0]], d.classes))
		}},
		{"tsne", "Embedding(points, labels, classes) of TSNE(ctx, features, config)", "features in a plane in which neighbours stay neighbours", func() (viz.Viewable, error) {
			points, _, err := viz.TSNE(ctx, d.features, viz.TSNEConfig{Iterations: 500})
			if err != nil {
				return nil, err
			}
			return chart(viz.Embedding(points, d.labels[:d.features.Shape().Dimensions[0]], d.classes))
		}},
		{"saliency", "Saliency(image, saliency)", "what a model looks at", func() (viz.Viewable, error) { return picture(viz.Saliency(d.images[0], d.saliency)) }},
		{"attribution", "Attribution(image, attributions)", "what speaks for a class, in blue, and against it", func() (viz.Viewable, error) { return picture(viz.Attribution(d.images[0], d.attribution)) }},
		{"attributed-features", "AttributedFeatures(names, attributions, most)", "the same of a table's row; AttributedWords of a text", func() (viz.Viewable, error) {
			names := []string{"age = 22", "prior convictions = 3", "work experience = no", "married = no", "parole = yes", "financial aid = yes"}
			return chart(viz.AttributedFeatures(names, tensors.FromValue([]float32{0.41, 0.33, 0.12, 0.04, -0.02, -0.19}), 0))
		}},
		{"fairness", "Fairness(report)", "how a model treats groups, with intervals", func() (viz.Viewable, error) {
			r, err := fairness.Measure(treated())
			if err != nil {
				return nil, err
			}
			return chart(viz.Fairness(r))
		}},
		{"lines", "Lines(config, series...)", "curves", func() (viz.Viewable, error) {
			var noise viz.Series
			r := rand.New(rand.NewPCG(1, 2))
			v := 0.0
			for range 1_000_000 {
				v += r.NormFloat64()
				noise.Y = append(noise.Y, v)
			}
			noise.Name = "a random walk of a million steps"
			return chart(viz.Lines(viz.LinesConfig{XName: "step"}, noise))
		}},
		{"forecast", "Forecast(series, forecast, low, high)", "a series, its forecast and an interval", func() (viz.Viewable, error) {
			var past, next viz.Series
			var low, high []float64
			for i := range 80 {
				y := 10 + float64(i)/20 + 2*math.Sin(float64(i)/5)
				if i < 60 {
					past.X, past.Y = append(past.X, float64(i)), append(past.Y, y+0.3*math.Sin(float64(i*i)))
				} else {
					next.X, next.Y = append(next.X, float64(i)), append(next.Y, y)
					low, high = append(low, y-0.2*float64(i-58)/3), append(high, y+0.2*float64(i-58)/3)
				}
			}
			past.Name, next.Name = "measured", "forecast"
			return chart(viz.Forecast(past, next, low, high))
		}},
		{"many-series", "Lines(config, series...)", "12 series with long names: dashes and marks beside colours, a legend that turns pages", func() (viz.Viewable, error) {
			return chart(viz.Lines(viz.LinesConfig{XName: "step"}, manySeries(12)...))
		}},
		{"many-classes", "ConfusionMatrix(labels, predicted, classes)", "60 classes", func() (viz.Viewable, error) {
			labels, predicted, classes := manyClasses(60)
			return chart(viz.ConfusionMatrix(labels, predicted, classes))
		}},
		{"long-keys", "AttentionMap(scores, queries, keys)", "3 keys whose names are wider than their columns", func() (viz.Viewable, error) {
			scores := tensors.FromValue([][]float32{{0.7, 0.2, 0.1}, {0.1, 0.8, 0.1}, {0.3, 0.3, 0.4}})
			return chart(viz.AttentionMap(scores, []string{"a", "warm", "film"}, []string{"the", "audience", "applauded"}))
		}},
		{"flame", "FlameChart(root, format)", "what functions take, with those that they call; %prof draws it of a cell", func() (viz.Viewable, error) {
			return chart(viz.FlameChart(viz.Flame{Name: "the cell", Children: []viz.Flame{
				{Name: "train", Children: []viz.Flame{{Name: "forward", Value: 30}, {Name: "backward", Children: []viz.Flame{{Name: "dense", Value: 35}, {Name: "convolution", Value: 20}}}}},
				{Name: "read", Value: 12},
			}}, nil))
		}},
		{"heatmap", "Heatmap(tensor, config)", "a tensor with its values", func() (viz.Viewable, error) {
			return chart(viz.Heatmap(s.traces[2].Weights["kernel"], viz.HeatmapConfig{RowsName: "from", ColumnsName: "to"}))
		}},
	}
}

type spiralRun struct {
	model            *dl.Model
	history, shallow *dl.History
	plot             *viz.TrainingPlot
	recorder         *viz.Recorder
	boundary         *viz.BoundaryRecorder
	shallowBoundary  *viz.BoundaryRecorder
	oneX, oneY       *tensors.Tensor
	traces           []dl.LayerTrace
}

// spirals trains a small network on three arms of points.
func spirals(t *testing.T) spiralRun {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	var xs [][]float32
	var ys []int32
	var labels []int
	for i := range 300 {
		arm, along := i%3, 0.15+0.85*float64(i/3)/100
		angle := 4*along + float64(arm)*2*math.Pi/3 + r.NormFloat64()*0.12
		xs = append(xs, []float32{float32(along * math.Cos(angle)), float32(along * math.Sin(angle))})
		ys, labels = append(ys, int32(arm)), append(labels, arm)
	}
	ds, err := data.FromSlices(xs, ys)
	if err != nil {
		t.Fatal(err)
	}
	x, y := tensors.FromValue(xs), tensors.FromValue(ys)
	run := spiralRun{
		plot: &viz.TrainingPlot{}, recorder: &viz.Recorder{X: x, Labels: y},
		boundary:        &viz.BoundaryRecorder{Name: "two hidden layers", Points: x, Labels: labels, Classes: []string{"first", "second", "third"}},
		shallowBoundary: &viz.BoundaryRecorder{Name: "none", Points: x, Labels: labels, Classes: []string{"first", "second", "third"}},
	}
	train := func(all []callbacks.Callback, stack ...layers.Layer) (*dl.Model, *dl.History) {
		dl.SetRandomSeed(3)
		m, err := dl.Sequential(append([]layers.Layer{layers.Input{Shape: layers.Shape{2}}}, stack...)...)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{LearningRate: 0.02}, Loss: losses.SparseCategoricalCrossentropy{}, Metrics: []metrics.Metric{metrics.Accuracy{}}}); err != nil {
			t.Fatal(err)
		}
		h, err := m.Fit(context.Background(), ds.Batch(50).Shuffle(1), dl.FitConfig{Epochs: 40, Silent: true, ValidationData: ds.Take(60), Callbacks: all})
		if err != nil {
			t.Fatal(err)
		}
		return m, h
	}
	run.model, run.history = train([]callbacks.Callback{run.plot, run.recorder, run.boundary},
		layers.Dense{Units: 8, Activation: activations.Tanh}, layers.Dense{Units: 8, Activation: activations.Tanh}, layers.Dense{Units: 3, Activation: activations.Softmax})
	_, run.shallow = train([]callbacks.Callback{run.shallowBoundary}, layers.Dense{Units: 3, Activation: activations.Softmax})
	run.oneX, run.oneY = tensors.FromValue(xs[100:101]), tensors.FromValue(ys[100:101])
	if _, run.traces, err = run.model.Trace(x, y); err != nil {
		t.Fatal(err)
	}
	return run
}

type digitRun struct {
	model             *dl.Model
	labels, predicted []int
	classes, captions []string
	wrong, right      []bool
	images            []image.Image
	isEight           []int
	eight, sure       []float64
	features          *tensors.Tensor
	saliency          *tensors.Tensor
	attribution       *tensors.Tensor
	traces            []dl.LayerTrace
}

// treated are cases of three groups, of which one is selected more often.
func treated() fairness.Cases {
	r := rand.New(rand.NewPCG(2, 3))
	var c fairness.Cases
	for i := range 600 {
		g := i % 3
		y := map[bool]int{true: 1}[r.Float64() < 0.3+0.1*float64(g)]
		s := map[bool]int{true: 1}[r.Float64() < 0.15+0.4*float64(y)+0.12*float64(g)]
		c.Labels, c.Selected, c.Groups = append(c.Labels, y), append(c.Selected, s), append(c.Groups, []string{"under 25", "25 to 60", "over 60"}[g])
	}
	return c
}

// digits trains a convolutional network for a few steps.
func digits(t *testing.T) digitRun {
	t.Helper()
	train, test, err := datasets.MNIST()
	if err != nil {
		t.Fatal(err)
	}
	train, test = train.Take(3000).Map(data.Rescale(1/255.0)), test.Take(1000).Map(data.Rescale(1/255.0))
	dl.SetRandomSeed(3)
	m, err := dl.Sequential(
		layers.Input{Shape: layers.Shape{28, 28, 1}},
		layers.Conv2D{Filters: 8, KernelSize: [2]int{5, 5}, Activation: activations.ReLU}, layers.MaxPooling2D{},
		layers.Flatten{}, layers.Dense{Units: 32, Activation: activations.ReLU}, layers.Dense{Units: 10, Activation: activations.Softmax},
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{}, Loss: losses.SparseCategoricalCrossentropy{}}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Fit(context.Background(), train, dl.FitConfig{Epochs: 1, Silent: true}); err != nil {
		t.Fatal(err)
	}
	run := digitRun{model: m}
	if run.labels, err = test.Labels(); err != nil {
		t.Fatal(err)
	}
	if run.images, err = test.Take(100).Images(); err != nil {
		t.Fatal(err)
	}
	out, err := m.Predict(context.Background(), test)
	if err != nil {
		t.Fatal(err)
	}
	p := tensors.MustCopyFlatData[float32](out)
	for i, label := range run.labels {
		row := p[10*i : 10*i+10]
		best := 0
		for k, v := range row {
			if v > row[best] {
				best = k
			}
		}
		run.predicted = append(run.predicted, best)
		run.sure, run.right = append(run.sure, float64(row[best])), append(run.right, best == label)
		run.eight = append(run.eight, float64(row[8]))
		is := 0
		if label == 8 {
			is = 1
		}
		run.isEight = append(run.isEight, is)
		run.wrong = append(run.wrong, best != label)
		run.captions = append(run.captions, fmt.Sprintf("%d", best))
	}
	for k := range 10 {
		run.classes = append(run.classes, fmt.Sprint(k))
	}
	for batch, err := range test.Take(600).Batch(600).Batches() {
		if err != nil {
			t.Fatal(err)
		}
		_, traces, err := m.Trace(batch.X, batch.Y)
		if err != nil {
			t.Fatal(err)
		}
		run.features = traces[len(traces)-2].Output
		break
	}
	for batch, err := range test.Take(1).Batch(1).Batches() {
		if err != nil {
			t.Fatal(err)
		}
		if _, run.traces, err = m.Trace(batch.X, batch.Y); err != nil {
			t.Fatal(err)
		}
		g := tensors.MustCopyFlatData[float32](run.traces[0].OutputGradient)
		run.saliency = tensors.FromFlatDataAndDimensions(g, 28, 28)
		target, err := explain.Predicted(m, batch.X)
		if err != nil {
			t.Fatal(err)
		}
		a, err := explain.IntegratedGradients{}.Attribute(m, batch.X, target)
		if err != nil {
			t.Fatal(err)
		}
		run.attribution = tensors.FromFlatDataAndDimensions(tensors.MustCopyFlatData[float32](a), 28, 28)
		break
	}
	return run
}

// recurrence is what a recurrent layer makes of a text, [steps, units].
func recurrence(t *testing.T) *tensors.Tensor {
	t.Helper()
	text := "the quick brown fox jumps"
	x := make([][][]float32, 1)
	for _, c := range text {
		row := make([]float32, 27)
		row[max(int(c-'a'), -1)+1] = 1
		x[0] = append(x[0], row)
	}
	dl.SetRandomSeed(3)
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{len(text), 27}}, layers.SimpleRNN{Units: 16, ReturnSequences: true})
	if err != nil {
		t.Fatal(err)
	}
	ds, err := data.New(tensors.FromValue(x), nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := m.Predict(context.Background(), ds)
	if err != nil {
		t.Fatal(err)
	}
	return tensors.FromFlatDataAndDimensions(tensors.MustCopyFlatData[float32](out), len(text), 16)
}

// attention is scores that sum to one along the keys.
func attention(heads, n int) *tensors.Tensor {
	r := rand.New(rand.NewPCG(3, 4))
	var flat []float32
	for range heads * n {
		row, sum := make([]float64, n), 0.0
		for j := range row {
			row[j] = math.Exp(2 * r.NormFloat64())
			sum += row[j]
		}
		for _, v := range row {
			flat = append(flat, float32(v/sum))
		}
	}
	return tensors.FromFlatDataAndDimensions(flat, heads, n, n)
}

// valley is Rosenbrock's function with two ways down.
func valley() viz.Landscape {
	loss := func(x, y float64) float64 { return (1-x)*(1-x) + 20*(y-x*x)*(y-x*x) + 0.01 }
	descend := func(name string, rate, momentum float64) viz.Path {
		p, v := [2]float64{-1.3, 1.6}, [2]float64{}
		path := viz.Path{Name: name, Steps: [][2]float64{p}}
		for range 400 {
			g := [2]float64{-2*(1-p[0]) - 80*p[0]*(p[1]-p[0]*p[0]), 40 * (p[1] - p[0]*p[0])}
			for k := range p {
				v[k] = momentum*v[k] - rate*g[k]
				p[k] += v[k]
			}
			path.Steps = append(path.Steps, p)
		}
		return path
	}
	return viz.Landscape{
		Loss: loss, X: [2]float64{-1.8, 1.8}, Y: [2]float64{-0.8, 2.4}, Log: true,
		Paths: []viz.Path{descend("SGD", 0.004, 0), descend("momentum", 0.002, 0.9)},
	}
}

var sharedGallery = struct {
	sync.Once
	all []shown
}{}

// manySeries are curves whose names are long.
func manySeries(n int) (all []viz.Series) {
	for i := range n {
		y := make([]float64, 40)
		for j := range y {
			y[j] = math.Sin(float64(j)/8+float64(i)/3) + float64(i)/4
		}
		all = append(all, viz.Series{Name: fmt.Sprintf("layer %d with a name that is long", i+1), Y: y})
	}
	return all
}

// manyClasses are labels and predictions of many classes.
func manyClasses(n int) (labels, predicted []int, classes []string) {
	for i := range n {
		classes = append(classes, fmt.Sprintf("class %d", i+1))
		for j := range 8 {
			labels, predicted = append(labels, i), append(predicted, (i+j*j/20)%n)
		}
	}
	return labels, predicted, classes
}

func galleryOnce(t *testing.T) []shown {
	sharedGallery.Do(func() { sharedGallery.all = gallery(t) })
	return sharedGallery.all
}

// TestGallery: every chart has all its forms, within sizes that a notebook bears.
// With -gallery it also writes docs/gallery.md and its pictures.
func TestGallery(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for each of its charts; make check")
	}
	var page strings.Builder
	page.WriteString("# Gallery\n\nMade by `make gallery`, of real trainings. In JupyterLab the charts show values where the pointer is, can be zoomed and saved, and those with several steps have a slider.\n")
	for _, s := range galleryOnce(t) {
		t.Run(s.name, func(t *testing.T) {
			v, err := s.make()
			if err != nil {
				t.Fatal(err)
			}
			file := s.name + ".png"
			switch v := v.(type) {
			case *viz.Chart:
				_, svg, text := checkBundle(t, v)
				data, err := v.Option()
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("option %d kB, SVG %d kB", len(data)>>10, len(svg)>>10)
				if text == "" || len(svg) > 600<<10 {
					t.Errorf("expected words and an SVG of at most 600 kB, got %q and %d kB", text, len(svg)>>10)
				}
				file = s.name + ".svg"
				if *galleryDir != "" {
					err = v.Save(filepath.Join(*galleryDir, file))
				}
				if err != nil {
					t.Fatal(err)
				}
			case *viz.Picture:
				if b := v.Image().Bounds(); b.Empty() || v.String() == "" {
					t.Error("expected a picture with words")
				}
				if *galleryDir != "" {
					if err := v.Save(filepath.Join(*galleryDir, file)); err != nil {
						t.Fatal(err)
					}
				}
			}
			fmt.Fprintf(&page, "\n## `viz.%s`\n\n", s.call)
			if s.words != "" {
				fmt.Fprintf(&page, "%s\n\n", strings.ToUpper(s.words[:1])+s.words[1:]+".")
			}
			fmt.Fprintf(&page, "![%s](gallery/%s)\n", s.call, file)
		})
	}
	if *galleryDir != "" && !t.Failed() {
		if err := os.WriteFile(filepath.Join(*galleryDir, "..", "gallery.md"), []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNames: a picture of the gallery has a name of its own.
func TestGalleryNames(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for each of its charts; make check")
	}
	var names []string
	for _, s := range galleryOnce(t) {
		names = append(names, s.name)
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != len(galleryOnce(t)) {
		t.Errorf("expected names that differ, got %v", names)
	}
}
