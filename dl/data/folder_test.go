package data_test

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/tensor"
)

// pictures makes n images of each class: 8×4, the left half red, the right half blue.
func pictures(t *testing.T, n int, classes ...string) string {
	t.Helper()
	dir := t.TempDir()
	img := image.NewNRGBA(image.Rect(0, 0, 8, 4))
	for y := range 4 {
		for x := range 8 {
			c := color.NRGBA{R: 255, A: 255}
			if x >= 4 {
				c = color.NRGBA{B: 255, A: 255}
			}
			img.Set(x, y, c)
		}
	}
	for _, class := range classes {
		if err := os.Mkdir(filepath.Join(dir, class), 0o700); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			f, err := os.Create(filepath.Join(dir, class, strconv.Itoa(i)+".png"))
			if err != nil {
				t.Fatal(err)
			}
			if err := png.Encode(f, img); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// TestImageFolderSplit: both subsets together are all files, without one twice.
func TestImageFolderSplit(t *testing.T) {
	dir := pictures(t, 10, "a", "b")
	sizes := map[string]int{"training": 14, "validation": 6}
	for subset, want := range sizes {
		d, err := data.ImageFolder(dir, data.ImageFolderConfig{Height: 4, Width: 4, ValidationSplit: 0.3, Subset: subset, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if d.Len() != want {
			t.Errorf("%s: expected %d images, got %d", subset, want, d.Len())
		}
	}
}

// TestImageFolderFrames: a crop shows the middle, and what is padded is black.
func TestImageFolderFrames(t *testing.T) {
	dir := pictures(t, 1, "a")
	pixels := func(c data.ImageFolderConfig) []float32 {
		t.Helper()
		c.Height, c.Width, c.Interpolation = 4, 4, "nearest"
		d, err := data.ImageFolder(dir, c)
		if err != nil {
			t.Fatal(err)
		}
		for b, err := range d.Batches() {
			if err != nil {
				t.Fatal(err)
			}
			v, err := tensor.Flat[float32](b.X)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		return nil
	}
	red, blue, black := []float32{255, 0, 0}, []float32{0, 0, 255}, []float32{0, 0, 0}
	row := slices.Concat(red, red, blue, blue)
	if got := pixels(data.ImageFolderConfig{CropToAspectRatio: true}); !slices.Equal(got[:12], row) {
		t.Errorf("cropped: got %v", got[:12])
	}
	got := pixels(data.ImageFolderConfig{PadToAspectRatio: true})
	if !slices.Equal(got[:3], black) || !slices.Equal(got[12:24], row) || !slices.Equal(got[36:39], black) {
		t.Errorf("padded: got %v", got)
	}
}

// TestImageFolderLabels: the kinds of labels, and what does not fit.
func TestImageFolderLabels(t *testing.T) {
	dir := pictures(t, 1, "a", "b", "c")
	d, err := data.ImageFolder(dir, data.ImageFolderConfig{Height: 2, Width: 2, LabelMode: "categorical", ClassNames: []string{"c", "a"}})
	if err != nil {
		t.Fatal(err)
	}
	if d.Len() != 2 || !slices.Equal(d.LabelShape(), []int{2}) || d.ClassName(0) != "c" {
		t.Errorf("got %d examples, labels of %v, class 0 %q", d.Len(), d.LabelShape(), d.ClassName(0))
	}
	for want, c := range map[string]data.ImageFolderConfig{
		"two classes":     {LabelMode: "binary"},
		"Interpolation":   {Interpolation: "lanczos3"},
		"ValidationSplit": {Subset: "training"},
		`"d"`:             {ClassNames: []string{"d"}},
		"not both":        {CropToAspectRatio: true, PadToAspectRatio: true},
	} {
		if _, err := data.ImageFolder(dir, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, err)
		}
	}
}
