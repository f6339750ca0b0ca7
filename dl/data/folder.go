package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // the formats that image files may have
	_ "image/jpeg"
	_ "image/png"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/image/draw"
)

// ImageFolderConfig says what becomes of image files.
type ImageFolderConfig struct {
	// Height and Width are the size of all images; 0 means 256.
	Height, Width int
	// Gray makes images of one channel rather than three.
	Gray bool
	// Interpolation is how images get their size: "bilinear", "nearest" or "bicubic"; "" is
	// bilinear. Where an image becomes smaller, all of its pixels count but for nearest.
	Interpolation string
	// CropToAspectRatio takes the largest part of the right proportions out of the middle of an
	// image, PadToAspectRatio puts black around it; otherwise it is stretched.
	CropToAspectRatio, PadToAspectRatio bool
	// LabelMode is "int" for class numbers; "categorical" for float32 [classes], 1 for the class
	// and 0 elsewhere; "binary" for float32 0 or 1, of two classes; or "none". "" is int.
	LabelMode string
	// ClassNames are the folders to use, in the order of their numbers; nil means all, in the
	// order of the alphabet.
	ClassNames []string
	// ValidationSplit is the part of the files that is set aside for validation, from 0 to 1, and
	// Subset says which to read: "training" or "validation". Files are mixed by Seed first, so
	// that both calls must have the same.
	ValidationSplit float64
	Subset          string
	Seed            uint64
	// Workers is how many images are decoded at a time; 0 means one for each CPU.
	Workers int
}

func (c ImageFolderConfig) check() error {
	one := func(field, value string, of ...string) error {
		if value == "" || slices.Contains(of, value) {
			return nil
		}
		return fmt.Errorf("data: expected %s of %s, got %q", field, strings.Join(of, ", "), value)
	}
	err := errors.Join(
		one("Interpolation", c.Interpolation, "bilinear", "nearest", "bicubic"),
		one("LabelMode", c.LabelMode, "int", "categorical", "binary", "none"),
		one("Subset", c.Subset, "training", "validation"),
	)
	switch {
	case err != nil:
		return err
	case c.Height < 0 || c.Width < 0:
		return fmt.Errorf("data: expected Height and Width of at least 1 (or 0 for 256), got %d and %d", c.Height, c.Width)
	case c.ValidationSplit < 0 || c.ValidationSplit >= 1 || (c.ValidationSplit > 0) != (c.Subset != ""):
		return fmt.Errorf("data: expected a ValidationSplit from 0 to 1 together with a Subset, got %v and %q", c.ValidationSplit, c.Subset)
	case c.CropToAspectRatio && c.PadToAspectRatio:
		return errors.New("data: expected CropToAspectRatio or PadToAspectRatio, not both")
	}
	return nil
}

// subset are the files that are read.
func (c ImageFolderConfig) subset(files []file) []file {
	if c.Subset == "" {
		return files
	}
	files = slices.Clone(files)
	r := rand.New(rand.NewPCG(c.Seed, 0))
	r.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	kept := len(files) - int(c.ValidationSplit*float64(len(files)))
	if c.Subset == "training" {
		return files[:kept]
	}
	return files[kept:]
}

// label is what an example of a class is to be foretold as.
func (c ImageFolderConfig) label(class, classes int) any {
	switch c.LabelMode {
	case "categorical":
		y := make([]float32, classes)
		y[class] = 1
		return y
	case "binary":
		return float32(class)
	case "none":
		return nil
	}
	return class
}

// ImageFolder makes a stream of the images in a folder, of which each class has a folder
// of its own: dir/cats/1.png, dir/dogs/2.jpg. Inputs are uint8 [height, width, 3],
// labels class numbers in the order of the alphabet; the folders' names are the class
// names. Images are decoded as they are read, and in the order of their names: Shuffle
// mixes files before that.
//
// Source: https://keras.io/api/data_loading/image/
func ImageFolder(dir string, c ImageFolderConfig) (*Dataset, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	files, classes, err := byClass(dir, c.ClassNames, ".png", ".jpg", ".jpeg", ".gif")
	if err != nil {
		return nil, err
	}
	if c.LabelMode == "binary" && len(classes) != 2 {
		return nil, fmt.Errorf("data: expected two classes for LabelMode binary, got %s", strings.Join(classes, ", "))
	}
	if files = c.subset(files); len(files) == 0 {
		return nil, fmt.Errorf("data: a ValidationSplit of %v leaves no files for %s", c.ValidationSplit, c.Subset)
	}
	c.Height, c.Width = orElse(c.Height, 256), orElse(c.Width, 256)
	workers := orElse(c.Workers, runtime.NumCPU())
	generate := func() iter.Seq2[Example, error] {
		all := func(yield func(file, error) bool) {
			for _, f := range files {
				if !yield(f, nil) {
					return
				}
			}
		}
		return parallel(workers, all, func(f file) (Example, error) {
			x, err := c.read(f.path)
			return Example{X: x, Y: c.label(f.class, len(classes))}, err
		})
	}
	d, err := fromGenerator(len(files), generate)
	if err != nil {
		return nil, err
	}
	return d.ClassNames(classes...), nil
}

func orElse(v, def int) int {
	if v == 0 {
		return def
	}
	return v
}

// file is a file with its class.
type file struct {
	path  string
	class int
}

// byClass lists the files in the folders of dir, which are classes: those that are named, in
// their order, or all.
func byClass(dir string, names []string, extensions ...string) (files []file, classes []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %w", err)
	}
	var folders []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			folders = append(folders, e.Name())
		}
	}
	for _, name := range names {
		if !slices.Contains(folders, name) {
			return nil, nil, fmt.Errorf("data: expected folders of %s in %s, got %q as a class", strings.Join(folders, ", "), dir, name)
		}
	}
	if names != nil {
		folders = names
	}
	for class, name := range folders {
		classes = append(classes, name)
		err := filepath.WalkDir(filepath.Join(dir, name), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && slices.Contains(extensions, strings.ToLower(filepath.Ext(path))) {
				files = append(files, file{path, class})
			}
			return err
		})
		if err != nil {
			return nil, nil, fmt.Errorf("data: %w", err)
		}
	}
	if len(files) == 0 {
		return nil, nil, fmt.Errorf("data: expected files of %s in folders of %s, one folder a class, got none", strings.Join(extensions, ", "), dir)
	}
	return files, classes, nil
}

// read returns an image of the right size as a tensor: [height][width][channels].
func (c ImageFolderConfig) read(path string) ([][][]uint8, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	img, _, err := image.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	scaled := image.NewNRGBA(image.Rect(0, 0, c.Width, c.Height))
	to, from := c.frame(img.Bounds())
	var how draw.Interpolator = draw.BiLinear
	switch c.Interpolation {
	case "nearest":
		how = draw.NearestNeighbor
	case "bicubic":
		how = draw.CatmullRom
	}
	if to != scaled.Bounds() {
		draw.Draw(scaled, scaled.Bounds(), image.Black, image.Point{}, draw.Src)
	}
	how.Scale(scaled, to, img, from, draw.Src, nil)
	out := make([][][]uint8, c.Height)
	for y := range out {
		out[y] = make([][]uint8, c.Width)
		for x := range out[y] {
			p := scaled.Pix[scaled.PixOffset(x, y):]
			if c.Gray {
				out[y][x] = []uint8{uint8((299*int(p[0]) + 587*int(p[1]) + 114*int(p[2]) + 500) / 1000)}
			} else {
				out[y][x] = []uint8{p[0], p[1], p[2]}
			}
		}
	}
	return out, nil
}

// frame is which part of an image goes where.
func (c ImageFolderConfig) frame(img image.Rectangle) (to, from image.Rectangle) {
	to, from = image.Rect(0, 0, c.Width, c.Height), img
	w, h := img.Dx(), img.Dy()
	switch {
	case c.CropToAspectRatio:
		cw, ch := min(w, h*c.Width/c.Height), min(h, w*c.Height/c.Width)
		x, y := img.Min.X+(w-cw)/2, img.Min.Y+(h-ch)/2
		from = image.Rect(x, y, x+max(cw, 1), y+max(ch, 1))
	case c.PadToAspectRatio:
		tw, th := min(c.Width, w*c.Height/max(h, 1)), min(c.Height, h*c.Width/max(w, 1))
		x, y := (c.Width-tw)/2, (c.Height-th)/2
		to = image.Rect(x, y, x+max(tw, 1), y+max(th, 1))
	}
	return to, from
}

// TextFolder reads the texts in a folder, of which each class has a folder of its own:
// dir/pos/1.txt. It returns the texts, their class numbers, and the names of the
// classes, for a layers.TextVectorization to work on.
//
// Source: https://keras.io/api/data_loading/text/
func TextFolder(dir string) (texts []string, labels []int32, classes []string, err error) {
	files, classes, err := byClass(dir, nil, ".txt")
	if err != nil {
		return nil, nil, nil, err
	}
	for _, f := range files {
		text, err := os.ReadFile(f.path)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("data: %w", err)
		}
		texts, labels = append(texts, string(text)), append(labels, int32(f.class))
	}
	return texts, labels, classes, nil
}
