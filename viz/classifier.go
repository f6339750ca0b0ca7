package viz

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
)

// Classifier tells the classes of points: [n, 2] float32 to [n, classes], or
// [n, 1] of probabilities of the second of two classes.
type Classifier func(points *dl.Tensor) (*dl.Tensor, error)

// ModelClassifier is a model as a Classifier. A model that puts out logits must
// not be used: its outputs are taken for probabilities.
func ModelClassifier(ctx context.Context, m *dl.Model) Classifier {
	return func(points *dl.Tensor) (*dl.Tensor, error) {
		ds, err := data.New(points, nil)
		if err != nil {
			return nil, err
		}
		return m.Predict(ctx, ds.Batch(points.Shape().Dimensions[0]))
	}
}

// boundarySide is how many points along each side of the plane are classified.
const boundarySide = 100

// DecisionBoundary colours the plane by what a classifier says of its points, the
// paler the less sure, and draws the points from which it learns. points is
// [n, 2], labels are their classes, whose names are classes.
func DecisionBoundary(f Classifier, points *dl.Tensor, labels []int, classes []string) (*Chart, error) {
	p, err := newPlane(points, labels, classes)
	if err != nil {
		return nil, err
	}
	image, err := p.classified(f)
	if err != nil {
		return nil, err
	}
	return p.chart(image, nil)
}

// plane is a part of the plane, with points in it.
type plane struct {
	points  matrix
	labels  []int
	classes []string
	x, y    [2]float64
}

func newPlane(points *dl.Tensor, labels []int, classes []string) (*plane, error) {
	m, err := matrixOf(points, "decision boundary")
	if err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	if m.cols != 2 || len(labels) != m.rows || len(classes) < 2 {
		return nil, fmt.Errorf("viz: decision boundary: expected points [n, 2] with a label each, of at least 2 classes, got %v, %d labels and %d classes", points.Shape(), len(labels), len(classes))
	}
	p := &plane{points: m, labels: labels, classes: classes}
	for k, r := range []*[2]float64{&p.x, &p.y} {
		low, high, found := span(m.column(k))
		if !found {
			return nil, fmt.Errorf("viz: decision boundary: expected at least one finite point, got none")
		}
		margin := max(high-low, math.Abs(low)*1e-6, 1e-6) / 10
		*r = [2]float64{nice(low-margin, high-low), nice(high+margin, high-low)}
		if math.IsInf(r[1]-r[0], 0) {
			return nil, fmt.Errorf("viz: decision boundary: expected points whose distances are numbers, got some from %g to %g", low, high)
		}
	}
	return p, nil
}

// nice is the end of an axis, to a thousandth of what is on it.
func nice(end, width float64) float64 {
	if !(width > 0) {
		return end
	}
	unit := math.Pow(10, math.Floor(math.Log10(width))-3)
	if r := math.Round(end/unit) * unit; !math.IsInf(r, 0) && !math.IsNaN(r) {
		return r
	}
	return end
}

// classified is the picture of what a classifier says.
func (p *plane) classified(f Classifier) (image.Image, error) {
	const n = boundarySide
	flat := make([]float32, 0, 2*n*n)
	for i := range n {
		for j := range n {
			x := p.x[0] + (p.x[1]-p.x[0])*(float64(j)+0.5)/n
			y := p.y[1] - (p.y[1]-p.y[0])*(float64(i)+0.5)/n // a picture's rows go down
			flat = append(flat, float32(x), float32(y))
		}
	}
	out, err := f(tensors.FromFlatDataAndDimensions(flat, n*n, 2))
	if err != nil {
		return nil, fmt.Errorf("viz: decision boundary: %w", err)
	}
	m, err := matrixOf(out, "decision boundary: the classifier's output")
	if err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	if m.rows != n*n || m.cols != len(p.classes) && (m.cols != 1 || len(p.classes) != 2) {
		return nil, fmt.Errorf("viz: decision boundary: expected a probability for each of %d classes of %d points, got %v", len(p.classes), n*n, out.Shape())
	}
	// 64 shades are as many as one sees, and make a picture of a few kilobytes.
	img := image.NewNRGBA(image.Rect(0, 0, n, n))
	for at := range n * n {
		probabilities := m.row(at)
		if m.cols == 1 {
			probabilities = []float64{1 - probabilities[0], probabilities[0]}
		}
		img.SetNRGBA(at%n, at/n, p.shade(probabilities))
	}
	return img, nil
}

// shade mixes the classes' colours with white.
func (p *plane) shade(probabilities []float64) color.NRGBA {
	best, sum := 0, 0.0
	for k, v := range probabilities {
		if math.IsNaN(v) { // of a model that has diverged
			return color.NRGBA{226, 232, 240, 255}
		}
		sum += v
		if v > probabilities[best] {
			best = k
		}
	}
	sure := (probabilities[best]/max(sum, 1e-12) - 1/float64(len(probabilities))) * float64(len(probabilities)) / float64(len(probabilities)-1)
	const shades = 12
	sure = float64(int(min(max(sure, 0), 1)*shades)) / shades
	return mix(color.NRGBA{255, 255, 255, 255}, rgb(palette[best%len(palette)]), 0.12+0.45*sure)
}

// chart draws the points over a picture; with frames, over one after the other.
func (p *plane) chart(img image.Image, frames []frame) (*Chart, error) {
	series, text, err := classPoints(p.points, p.labels, p.classes)
	if err != nil {
		return nil, fmt.Errorf("viz: decision boundary: %w", err)
	}
	option := optionOf{
		"tooltip": tooltip("item"), "legend": object{"show": true, "top": 0},
		"xAxis": planeAxis(p.x, 0), "yAxis": planeAxis(p.y, 0),
		"grid": object{"left": 40, "right": 16, "top": 34, "bottom": 28},
	}
	option.add("series", p.background(img, 0))
	option.add("series", series...)
	c, err := newChart(object(option), say("decision boundary among ")+text)
	if err != nil {
		return nil, err
	}
	c.height, c.staticWidth, c.fixed = 420, 460, true
	c.frames, c.still = frames, len(frames)-1
	return c, nil
}

// planeAxis is an axis of a plane, without the odd numbers at its ends.
func planeAxis(ends [2]float64, panel int) object {
	return axis("", panel, object{"min": ends[0], "max": ends[1], "splitLine": object{"show": false}, "axisLine": object{"onZero": false}, "axisLabel": object{"showMinLabel": false, "showMaxLabel": false}})
}

func (p *plane) background(img image.Image, panel int) object {
	return object{"type": "raster", "id": fmt.Sprintf("plane%d", panel), "xAxisIndex": panel, "yAxisIndex": panel, "image": dataURL(img), "data": array{array{p.x[0], p.y[0]}, array{p.x[1], p.y[1]}}}
}

// BoundaryRecorder is a callback that keeps the decision boundary of a model of
// two inputs as it learns.
//
//	boundary := &viz.BoundaryRecorder{Points: points, Labels: labels, Classes: classes}
//	model.Fit(ctx, train, dl.FitConfig{Epochs: 40, Callbacks: []callbacks.Callback{boundary}})
//	chart, err := boundary.Chart()
type BoundaryRecorder struct {
	callbacks.Base
	// Name is the model's, in CompareBoundaries.
	Name string
	// Points, Labels and Classes are as for DecisionBoundary.
	Points  *dl.Tensor
	Labels  []int
	Classes []string
	// Every is the number of epochs between two frames; 0 means that there are
	// about 20 frames.
	Every int

	plane  *plane
	images []image.Image
	epochs []int
}

// OnTrainBegin implements callbacks.Callback.
func (r *BoundaryRecorder) OnTrainBegin(t *callbacks.Training) error {
	r.images, r.epochs = nil, nil
	var err error
	if r.plane, err = newPlane(r.Points, r.Labels, r.Classes); err != nil {
		return err
	}
	return r.record(t, 0)
}

// OnEpochEnd implements callbacks.Callback.
func (r *BoundaryRecorder) OnEpochEnd(t *callbacks.Training, _ callbacks.Logs) error {
	if !due(t, r.Every) {
		return nil
	}
	return r.record(t, t.Epoch+1)
}

func (r *BoundaryRecorder) record(t *callbacks.Training, epoch int) error {
	img, err := r.plane.classified(ModelClassifier(context.Background(), dl.ModelOf(t)))
	if err != nil {
		return err
	}
	r.images, r.epochs = append(r.images, img), append(r.epochs, epoch)
	return nil
}

// Chart draws the boundaries, with a slider for the epoch.
func (r *BoundaryRecorder) Chart() (*Chart, error) {
	if len(r.images) == 0 {
		return nil, fmt.Errorf("viz: decision boundary: expected a recorder that was a callback of Fit; nothing is recorded")
	}
	var frames []frame
	for i, img := range r.images {
		frames = append(frames, frame{say("epoch %d", r.epochs[i]), object{"series": array{r.plane.background(img, 0)}}})
	}
	return r.plane.chart(r.images[len(r.images)-1], frames)
}
