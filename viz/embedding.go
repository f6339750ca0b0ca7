package viz

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/gradbook/gradbook/dl/tensor"
)

// Embedding draws points of a plane, [n, 2], in a colour for each class: what PCA
// or TSNE made of a model's features, say. labels are the points' classes, whose
// names are classes; nil means that there is one class.
func Embedding(points *tensor.Tensor, labels []int, classes []string) (*Chart, error) {
	m, err := matrixOf(points, "embedding")
	if err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	if m.cols != 2 {
		return nil, fmt.Errorf("viz: embedding: expected points of a plane, [n, 2], got %v; PCA and TSNE make them", points.Shape())
	}
	series, text, err := classPoints(m, labels, classes)
	if err != nil {
		return nil, fmt.Errorf("viz: embedding: %w", err)
	}
	bare := object{"scale": true, "axisLabel": object{"show": false}, "axisTick": object{"show": false}, "splitLine": object{"show": false}, "axisLine": object{"onZero": false}}
	option := optionOf{
		"tooltip": tooltip("item"), "legend": object{"show": classes != nil, "top": 0},
		"xAxis": axis("", 0, bare), "yAxis": axis("", 0, bare),
		"grid": object{"left": 12, "right": 12, "top": 34, "bottom": 12},
	}
	option.add("series", series...)
	c, err := newChart(object(option), say("embedding of ")+text)
	if err != nil {
		return nil, err
	}
	c.height, c.staticWidth, c.fixed = 460, 620, true
	return c, nil
}

// classPoints are points as a series for each class. A point's words are its
// number and class.
func classPoints(m matrix, labels []int, classes []string) ([]object, string, error) {
	if labels == nil {
		labels, classes = make([]int, m.rows), []string{say("points")}
	}
	if len(labels) != m.rows {
		return nil, "", fmt.Errorf("expected a label for each of %d points, got %d", m.rows, len(labels))
	}
	of := make([][]int, len(classes))
	for i, l := range labels {
		if l < 0 || l >= len(classes) {
			return nil, "", fmt.Errorf("expected labels from 0 to %d, got %d at %d", len(classes)-1, l, i)
		}
		of[l] = append(of[l], i)
	}
	text := say("%d points", m.rows)
	var all []object
	for k, rows := range of {
		x, y := make([]float64, len(rows)), make([]float64, len(rows))
		for i, r := range rows {
			x[i], y[i] = m.at(r, 0), m.at(r, 1)
		}
		data := array{}
		roundX, roundY := rounding(x), rounding(y)
		for _, i := range scattered(x, y, maxPoints/len(classes)) {
			data = append(data, object{"value": array{roundX(x[i]), roundY(y[i])}, "words": say("%s (number %d)\n%s, %s", visible(classes[k]), rows[i], shortNumber(x[i]), shortNumber(y[i]))})
		}
		size := 6
		if m.rows > 1500 {
			size = 4
		}
		all = append(all, object{"type": "scatter", "name": visible(classes[k]), "data": data, "symbol": mark(k, len(classes)), "symbolSize": size, "color": palette[k%len(palette)], "itemStyle": object{"opacity": 0.8, "borderColor": "#ffffff", "borderWidth": 0.5}})
		text += fmt.Sprintf("; %s: %d", classes[k], len(rows))
	}
	return all, text, nil
}

// PCA projects points, [n, features], onto the plane in which they differ most,
// [n, 2], and says what share of their variance is in each of its directions.
//
// Source: https://scikit-learn.org/stable/modules/generated/sklearn.decomposition.PCA.html
func PCA(features *tensor.Tensor) (points *tensor.Tensor, explained [2]float64, err error) {
	m, err := matrixOf(features, "PCA")
	if err != nil {
		return nil, explained, fmt.Errorf("viz: %w", err)
	}
	if m.rows < 2 || m.cols < 2 {
		return nil, explained, fmt.Errorf("viz: PCA: expected at least 2 points of 2 features, got %v", features.Shape())
	}
	for i, v := range m.v {
		if number(v) == nil {
			return nil, explained, fmt.Errorf("viz: PCA: expected finite features, got %v of point %d", v, i/m.cols)
		}
	}
	x := mat.NewDense(m.rows, m.cols, append([]float64{}, m.v...))
	var pc stat.PC
	if !pc.PrincipalComponents(x, nil) {
		return nil, explained, fmt.Errorf("viz: PCA: the singular values of %v were not found", features.Shape())
	}
	var directions mat.Dense
	pc.VectorsTo(&directions)
	total := 0.0
	variances := pc.VarsTo(nil)
	for _, v := range variances {
		total += v
	}
	means := make([]float64, m.cols)
	for i := range m.rows {
		for j, v := range m.row(i) {
			means[j] += v / float64(m.rows)
		}
	}
	flat := make([]float32, 2*m.rows)
	for k := range 2 {
		sign := signOf(&directions, k)
		if total > 0 {
			explained[k] = variances[k] / total
		}
		for i := range m.rows {
			sum := 0.0
			for j, v := range m.row(i) {
				sum += (v - means[j]) * directions.At(j, k)
			}
			flat[2*i+k] = float32(sum * sign)
		}
	}
	return tensors.FromFlatDataAndDimensions(flat, m.rows, 2), explained, nil
}

// signOf makes the direction's largest part positive, as scikit-learn does: which
// way a direction points is no property of the points.
func signOf(directions *mat.Dense, k int) float64 {
	rows, _ := directions.Dims()
	most := 0.0
	for j := range rows {
		if v := directions.At(j, k); math.Abs(v) > math.Abs(most) {
			most = v
		}
	}
	return math.Copysign(1, most)
}
