package viz_test

import (
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/viz"
)

// TestValue: values show themselves in forms that a reader can read, and small.
func TestValue(t *testing.T) {
	images, err := data.FromFlat(make([]uint8, 40*36), []int{6, 6}, make([]int32, 40), nil)
	if err != nil {
		t.Fatal(err)
	}
	table, err := data.FromSlices([][]float32{{1.5, 2}, {3, 4}}, []float32{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	model, err := dl.Sequential(layers.Input{Shape: layers.Shape{4}}, layers.Dense{Units: 2})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		v          any
		mime, says string
	}{
		"scalar":          {tensors.FromValue(float32(3.5)), viz.MIMEHTML, "<td>3.5</td>"},
		"vector":          {tensors.FromValue([]int32{1, 2, 3}), viz.MIMEHTML, "Int32[3] from 1 to 3"},
		"matrix":          {tensors.FromValue([][]float64{{1, 2}, {3, 4}}), viz.MIMEHTML, "<td>4</td>"},
		"large":           {tensors.FromFlatDataAndDimensions(make([]float32, 1<<20), 1<<10, 1<<10), viz.MIMEHTML, "1048576 values in all"},
		"image":           {tensors.FromFlatDataAndDimensions(make([]float32, 28*28), 28, 28, 1), viz.MIMEHTML, "data:image/png;base64,"},
		"images":          {tensors.FromFlatDataAndDimensions(make([]uint8, 100*28*28*3), 100, 28, 28, 3), viz.MIMEHTML, "data:image/png;base64,"},
		"truths":          {tensors.FromValue([]bool{true, false}), viz.MIMEHTML, "<td>1</td>"},
		"nothing":         {(*tensors.Tensor)(nil), viz.MIMEPlain, "nil"},
		"dataset":         {images, viz.MIMEHTML, "Dataset of 40 examples"},
		"dataset of rows": {table, viz.MIMEHTML, "<td>1.5</td>"},
		"model":           {model, viz.MIMEPlain, "Total params"},
		"history":         {history(), viz.MIMEChart, "accuracy"},
		"empty history":   {&dl.History{}, viz.MIMEPlain, ""},
		"picture":         {image.NewGray(image.Rect(0, 0, 2000, 3)), viz.MIMEPNG, ""},
		"pictures":        {[]image.Image{image.NewGray(image.Rect(0, 0, 8, 8))}, viz.MIMEPNG, ""},
		"anything":        {42, viz.MIMEPlain, "42"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := viz.Value(c.v).Bundle()
			if err != nil {
				t.Fatal(err)
			}
			size := 0
			for _, s := range b {
				size += len(s)
			}
			if !strings.Contains(b[c.mime], c.says) || size > 100<<10 {
				t.Errorf("expected %s with %q in at most 100 kB, got %d bytes: %.300q", c.mime, c.says, size, b[c.mime])
			}
			if strings.Contains(b[viz.MIMEHTML], "ZgotmplZ") {
				t.Error("the template refuses a value")
			}
		})
	}
}

// TestSave: what a chart is saved as is decided by the file's name, and a mistake
// leaves no file.
func TestSave(t *testing.T) {
	c, err := viz.Lines(viz.LinesConfig{}, viz.Series{Name: "s", Y: []float64{1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, start := range map[string]string{"a.svg": "<svg ", "b.png": "\x89PNG", "c.html": "<!doctype html>", "D.SVG": "<svg "} {
		file := filepath.Join(dir, name)
		if err := c.Save(file); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(raw), start) {
			t.Errorf("%s: expected %q, got %.20q", name, start, raw)
		}
		if name == "c.html" && (strings.Contains(string(raw), "http://") && strings.Contains(string(raw), "<script src") || strings.Contains(string(raw), "<link")) {
			t.Error("expected a page that needs nothing else")
		}
	}
	for _, name := range []string{"x.pdf", "x", "no/such/folder/\x00.svg"} {
		if err := c.Save(filepath.Join(dir, name)); err == nil {
			t.Errorf("%q: expected an error, got none", name)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "x*")); err != nil || len(left) > 0 {
		t.Errorf("expected no file of a failed save, got %v, %v", left, err)
	}
	img, err := c.Image()
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds().Dx() != 2*760 || img.Bounds().Dy() != 2*360 {
		t.Errorf("expected two pixels for each of the chart's, got %v", img.Bounds())
	}
	dark := 0
	for x := range img.Bounds().Dx() {
		for y := range img.Bounds().Dy() {
			if r, g, b, _ := img.At(x, y).RGBA(); r+g+b < 3*0xe000 {
				dark++
			}
		}
	}
	if dark < 500 {
		t.Errorf("expected a chart in the image, got %d pixels that are not white", dark)
	}
}
