package viz

import (
	"fmt"
	"html/template"
	"image"
	"math"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/image/draw"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/fairness"
)

// MIMEHTML is the MIME type of tables.
const MIMEHTML = "text/html"

// Value is a value as it shows itself as the last expression of a cell: a tensor
// as its shape and its first values, with a thumbnail if it is an image; a dataset
// as its first examples; a History as its curves; a report on fairness as a table; an image or several as a
// picture; a chart of go-echarts as a chart; all else as text. What is long is
// shown in part.
func Value(v any) Viewable {
	if rich, ok := Rich(v); ok {
		return rich
	}
	return textView(fmt.Sprintf("%v", v))
}

// Rich is Value of what is shown as more than its text, and says whether v is.
func Rich(v any) (Viewable, bool) {
	switch v := v.(type) {
	case Viewable:
		return v, true
	case echart:
		if c, err := FromECharts(v, fmt.Sprintf("%T", v)); err == nil {
			return c, true
		}
	case *dl.Tensor:
		if v != nil {
			return tensorView{v}, true
		}
	case *data.Dataset:
		if v != nil {
			return datasetView{v}, true
		}
	case *dl.History:
		if c, err := TrainingCurves(v); err == nil {
			return c, true
		}
	case *dl.Model:
		if v != nil {
			return textView(v.Summary()), true
		}
	case *fairness.Report:
		if v != nil {
			return fairnessView{v}, true
		}
	case image.Image:
		if !isNil(v) && !v.Bounds().Empty() {
			return thumbnail(v), true
		}
	case []image.Image:
		if slices.ContainsFunc(v, func(img image.Image) bool { return img == nil || isNil(img) }) {
			break
		}
		if p, err := ImageGrid(v[:min(len(v), maxThumbnails)], ImageGridConfig{}); err == nil {
			p.text = say("%d images", len(v))
			return p, true
		}
	}
	return nil, false
}

// echart is what all charts of go-echarts have.
type echart interface {
	Validate()
	JSON() map[string]any
}

func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Pointer && r.IsNil()
}

// textView is a text.
type textView string

// Bundle implements Viewable.
func (t textView) Bundle() (Bundle, error) { return Bundle{MIMEPlain: string(t)}, nil }

// How much of a value is shown.
const (
	maxThumbnails = 32
	maxTensorRows = 8
	maxTensorCols = 10
	maxImageSide  = 800
	minImageSide  = 112
)

// thumbnail is an image in a size in which it can be seen.
func thumbnail(img image.Image) *Picture {
	b := img.Bounds()
	text := fmt.Sprintf("%T of %d × %d", img, b.Dx(), b.Dy())
	side := max(b.Dx(), b.Dy())
	switch {
	case side > maxImageSide:
		small := image.NewNRGBA(fit(b, maxImageSide))
		draw.CatmullRom.Scale(small, small.Rect, img, b, draw.Src, nil)
		return &Picture{small, text}
	case side < minImageSide:
		factor := (minImageSide + side - 1) / side
		big := image.NewNRGBA(image.Rect(0, 0, b.Dx()*factor, b.Dy()*factor))
		draw.NearestNeighbor.Scale(big, big.Rect, img, b, draw.Src, nil)
		return &Picture{big, text}
	}
	return &Picture{img, text}
}

// tensorView shows a tensor.
type tensorView struct{ t *dl.Tensor }

// Bundle implements Viewable.
func (v tensorView) Bundle() (Bundle, error) {
	shape := v.t.Shape()
	head := fmt.Sprintf("%s%v", shape.DType, shape.Dimensions)
	values, err := floats(v.t)
	if err != nil { // of complex numbers
		return Bundle{MIMEPlain: head}, nil //nolint:nilerr // its shape is shown
	}
	t := table{Caption: head}
	if low, high, found := span(values); found && len(values) > 1 {
		t.Caption += fmt.Sprintf(" from %s to %s", plainNumber(low), plainNumber(high))
	}
	t.Rows, t.Note = firstValues(values, shape.Dimensions)
	text := t.Caption
	if len(t.Rows) > 0 {
		for _, r := range t.Rows {
			text += "\n[" + strings.Join(r, " ") + "]"
		}
		if t.Note != "" {
			text += "\n" + t.Note
		}
	}
	if img := imageOf(values, shape.Dimensions); img != nil {
		t.Image, t.Rows, t.Note = template.URL(dataURL(img)), nil, "" //nolint:gosec // our own base64
	}
	return t.bundle(text)
}

// firstValues are the first of a tensor's rows, and what is left out.
func firstValues(values []float64, dims []int) (rows [][]string, note string) {
	cols := 1
	if len(dims) > 0 {
		cols = dims[len(dims)-1]
	}
	if cols == 0 || len(values) == 0 {
		return nil, "no values"
	}
	n := len(values) / cols
	for i := range min(n, maxTensorRows) {
		var row []string
		for j := range min(cols, maxTensorCols) {
			row = append(row, plainNumber(values[i*cols+j]))
		}
		if cols > maxTensorCols {
			row = append(row, "…")
		}
		rows = append(rows, row)
	}
	if n > maxTensorRows || cols > maxTensorCols {
		note = fmt.Sprintf("… %d values in all", len(values))
	}
	return rows, note
}

// plainNumber is a number in five digits, and whole ones in all of theirs.
func plainNumber(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.5g", v)
}

// imageOf is a tensor as an image, [height, width, 1, 3 or 4], or several,
// [n, height, width, …]; nil if it has another shape.
func imageOf(values []float64, dims []int) image.Image {
	if len(dims) == 3 && (dims[2] == 1 || dims[2] == 3 || dims[2] == 4) {
		dims = append([]int{1}, dims...)
	}
	if len(dims) != 4 || (dims[3] != 1 && dims[3] != 3 && dims[3] != 4) || min(dims[1], dims[2]) < 5 || len(values) == 0 {
		return nil
	}
	low, high, found := span(values)
	if !found {
		return nil
	}
	switch { // as images are stored; all else is stretched
	case low >= 0 && high <= 1:
		low, high = 0, 1
	case low >= 0 && high <= 255 && high > 1:
		low, high = 0, 255
	}
	h, w, c := dims[1], dims[2], dims[3]
	var all []image.Image
	for i := range min(dims[0], maxThumbnails/2) {
		img := image.NewNRGBA(image.Rect(0, 0, w, h))
		for p := range h * w {
			at := values[(i*h*w+p)*c:]
			for k := range 4 {
				v := 255.0
				switch {
				case k < 3 && c == 1:
					v = 255 * (at[0] - low) / max(high-low, 1e-30)
				case k < c:
					v = 255 * (at[k] - low) / max(high-low, 1e-30)
				}
				img.Pix[4*p+k] = uint8(min(max(math.Round(v), 0), 255))
			}
		}
		all = append(all, img)
	}
	if len(all) == 1 {
		return thumbnail(all[0]).img
	}
	grid, err := ImageGrid(all, ImageGridConfig{Size: 64})
	if err != nil {
		return nil
	}
	return grid.img
}

// datasetView shows a dataset.
type datasetView struct{ d *data.Dataset }

// Bundle implements Viewable.
func (v datasetView) Bundle() (Bundle, error) {
	text := v.d.String()
	if v.d.Err() != nil || v.d.Len() <= 0 { // what a stream gives can be had once
		return Bundle{MIMEPlain: text}, nil
	}
	t := table{Caption: text}
	first := v.d.Take(maxTensorRows)
	labels, noLabels := first.Labels()
	if images, err := first.Images(); err == nil {
		var captions []string
		for i := range images {
			if noLabels == nil {
				captions = append(captions, v.d.ClassName(labels[i]))
			}
		}
		if grid, err := ImageGrid(images, ImageGridConfig{Captions: captions, Size: 64}); err == nil {
			t.Image = template.URL(dataURL(grid.img)) //nolint:gosec // our own base64
			return t.bundle(text)
		}
	}
	for batch, err := range first.Batch(maxTensorRows).Batches() {
		if err != nil {
			return Bundle{MIMEPlain: text}, nil
		}
		x, err := floats(batch.X)
		if err != nil {
			break
		}
		t.Rows, _ = firstValues(x, []int{batch.X.Shape().Dimensions[0], batch.X.Shape().Size() / max(batch.X.Shape().Dimensions[0], 1)})
		if batch.Y != nil {
			if y, err := floats(batch.Y); err == nil {
				of, _ := firstValues(y, []int{batch.Y.Shape().Dimensions[0], batch.Y.Shape().Size() / max(batch.Y.Shape().Dimensions[0], 1)})
				for i := range t.Rows {
					t.Rows[i] = append(append(t.Rows[i], "→"), of[i]...)
				}
			}
		}
		break
	}
	if v.d.Len() > maxTensorRows {
		t.Note = fmt.Sprintf("… %d examples in all", v.d.Len())
	}
	return t.bundle(text)
}

// table is a value as HTML.
type table struct {
	Caption string
	Rows    [][]string
	Image   template.URL
	Note    string
}

var tableTemplate = template.Must(template.New("table").Parse(
	`<div><p><code>{{.Caption}}</code></p>{{if .Image}}<img alt="{{.Caption}}" src="{{.Image}}">{{end}}` +
		`{{if .Rows}}<table>{{range .Rows}}<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>{{end}}</table>{{end}}{{if .Note}}<p>{{.Note}}</p>{{end}}</div>`))

func (t table) bundle(text string) (Bundle, error) {
	var b strings.Builder
	if err := tableTemplate.Execute(&b, t); err != nil {
		return nil, err
	}
	return Bundle{MIMEHTML: b.String(), MIMEPlain: text}, nil
}
