package viz_test

import (
	"html"
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/fairness"
	"github.com/gradbook/gradbook/viz"
)

// TestAttribution: what speaks for the target is blue, what speaks against it red, what does
// neither as grey as it was.
func TestAttribution(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 3, 1))
	for x := range 3 {
		img.SetGray(x, 0, color.Gray{128})
	}
	p, err := viz.Attribution(img, tensors.FromValue([][][]float32{{{0.5, 0.5}, {0.5, -0.5}, {-1, 0}}}))
	if err != nil {
		t.Fatal(err)
	}
	b := p.Image().Bounds()
	at := func(x int) color.NRGBA {
		return color.NRGBAModel.Convert(p.Image().At((2*x+1)*b.Dx()/6, b.Dy()/2)).(color.NRGBA)
	}
	if c := at(0); c.B < c.R+60 {
		t.Errorf("expected blue for what speaks for it, got %v", c)
	}
	if c := at(1); c.R != c.B || c.R != 128 {
		t.Errorf("expected the image's grey for what does neither, got %v", c)
	}
	if c := at(2); c.R < c.B+60 {
		t.Errorf("expected red for what speaks against it, got %v", c)
	}
	nan := float32(math.NaN())
	for _, bad := range []*tensors.Tensor{nil, tensors.FromValue([]float32{1}), tensors.FromValue([][]float32{{nan}})} {
		if _, err := viz.Attribution(img, bad); err == nil {
			t.Errorf("expected %v to be refused", bad)
		}
	}
	if _, err := viz.Attribution(nil, tensors.FromValue([][]float32{{1}})); err == nil {
		t.Error("expected no image to be refused")
	}
}

// TestAttributed: words are shown as they are, whatever is in them, and lists must fit.
func TestAttributed(t *testing.T) {
	v, err := viz.AttributedWords([]string{"<b>", "so"}, tensors.FromValue([][]float32{{-1, 0.5}}))
	if err != nil {
		t.Fatal(err)
	}
	b, err := v.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"&lt;b&gt;", "rgba(220, 38, 38, 0.75)", "rgba(37, 99, 235, 0.38)"} {
		if !strings.Contains(b[viz.MIMEHTML], want) {
			t.Errorf("expected %q in %s", want, b[viz.MIMEHTML])
		}
	}
	two := tensors.FromValue([]float32{1, 2})
	if _, err := viz.AttributedWords([]string{"one"}, two); err == nil {
		t.Error("expected as many words as attributions")
	}
	if _, err := viz.AttributedFeatures([]string{"one"}, two, 0); err == nil {
		t.Error("expected as many columns as attributions")
	}
	if _, err := viz.AttributedFeatures([]string{"one", "two"}, two, -1); err == nil {
		t.Error("expected a number to show")
	}
	c, err := viz.AttributedFeatures([]string{"one", "two"}, two, 1)
	if err != nil || strings.Contains(c.String(), "one") {
		t.Errorf("expected the larger one alone, got %v, %v", c, err)
	}
}

// TestFairness: a group without cases is said, and a report is a table.
func TestFairness(t *testing.T) {
	r, err := fairness.Measure(fairness.Cases{
		Labels: []int{1, 0, 0, 0}, Selected: []int{1, 1, 1, 0}, Groups: []string{"a", "a", "<b>", "<b>"},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := viz.Fairness(r)
	if err != nil {
		t.Fatal(err)
	}
	svg, err := c.SVG()
	if err != nil || !strings.Contains(svg, "a group has no cases") {
		t.Errorf("expected a metric without cases to be named, got %v", err)
	}
	b, err := viz.Value(r).Bundle()
	if err != nil || !strings.Contains(b[viz.MIMEHTML], "<td>&lt;b&gt;</td>") || !strings.Contains(html.UnescapeString(b[viz.MIMEHTML]), r.Together()) {
		t.Errorf("expected a table with what cannot be had together, got %s, %v", b[viz.MIMEHTML], err)
	}
	if _, err := viz.Fairness(nil); err == nil {
		t.Error("expected no report to be refused")
	}
}
