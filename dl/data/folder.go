package data

import (
	"bytes"
	"fmt"
	"image"
	_ "image/gif" // the formats that image files may have
	_ "image/jpeg"
	_ "image/png"
	"io/fs"
	"iter"
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
	// Workers is how many images are decoded at a time; 0 means one for each CPU.
	Workers int
}

// ImageFolder makes a stream of the images in a folder, of which each class has a folder
// of its own: dir/cats/1.png, dir/dogs/2.jpg. Inputs are uint8 [height, width, 3],
// labels class numbers in the order of the alphabet; the folders' names are the class
// names. Images are decoded as they are read, and in the order of their names: Shuffle
// mixes files before that.
//
// Source: https://keras.io/api/data_loading/image/
func ImageFolder(dir string, c ImageFolderConfig) (*Dataset, error) {
	if c.Height < 0 || c.Width < 0 {
		return nil, fmt.Errorf("data: expected Height and Width of at least 1 (or 0 for 256), got %d and %d", c.Height, c.Width)
	}
	files, classes, err := byClass(dir, ".png", ".jpg", ".jpeg", ".gif")
	if err != nil {
		return nil, err
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
			return Example{X: x, Y: f.class}, err
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

// byClass lists the files in the folders of dir, which are classes.
func byClass(dir string, extensions ...string) (files []file, classes []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		class := len(classes)
		classes = append(classes, e.Name())
		err := filepath.WalkDir(filepath.Join(dir, e.Name()), func(path string, d fs.DirEntry, err error) error {
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
	draw.BiLinear.Scale(scaled, scaled.Bounds(), img, img.Bounds(), draw.Src, nil)
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

// TextFolder reads the texts in a folder, of which each class has a folder of its own:
// dir/pos/1.txt. It returns the texts, their class numbers, and the names of the
// classes, for a layers.TextVectorization to work on.
//
// Source: https://keras.io/api/data_loading/text/
func TextFolder(dir string) (texts []string, labels []int32, classes []string, err error) {
	files, classes, err := byClass(dir, ".txt")
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
