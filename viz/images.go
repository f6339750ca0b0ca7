package viz

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"sync"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Picture is a raster image.
type Picture struct {
	img  image.Image
	text string
}

// FromImage makes a Picture of an image. text is what a reader gets who sees no
// picture.
func FromImage(img image.Image, text string) *Picture { return &Picture{img, text} }

// Image returns the image.
func (p *Picture) Image() image.Image { return p.img }

// String is the picture in words.
func (p *Picture) String() string { return p.text }

// Bundle implements Viewable.
func (p *Picture) Bundle() (Bundle, error) {
	var b bytes.Buffer
	if err := png.Encode(&b, p.img); err != nil {
		return nil, err
	}
	return Bundle{MIMEPNG: base64.StdEncoding.EncodeToString(b.Bytes()), MIMEPlain: p.text}, nil
}

// ImageGridConfig says how ImageGrid lays pictures out.
type ImageGridConfig struct {
	// Captions stand below the images, one each; nil means none.
	Captions []string
	// Wrong marks images whose caption is to be red; nil means none.
	Wrong []bool
	// Columns is the number of images in a row; 0 means 8.
	Columns int
	// Size is the longer side of an image in pixels; 0 means 84. Small images
	// are enlarged without smoothing, so that their pixels can be seen.
	Size int
}

const (
	gridMargin = 8
	captionGap = 18
	fontSize   = 12
)

// ImageGrid puts images into a table, with captions.
func ImageGrid(images []image.Image, c ImageGridConfig) (*Picture, error) {
	if len(images) == 0 {
		return nil, fmt.Errorf("viz: expected at least one image, got none")
	}
	if c.Captions != nil && len(c.Captions) != len(images) {
		return nil, fmt.Errorf("viz: expected a caption for each of %d images, got %d", len(images), len(c.Captions))
	}
	if c.Wrong != nil && len(c.Wrong) != len(images) {
		return nil, fmt.Errorf("viz: expected a mark for each of %d images, got %d", len(images), len(c.Wrong))
	}
	columns, size := c.Columns, c.Size
	if columns <= 0 {
		columns = 8
	}
	if size <= 0 {
		size = 84
	}
	columns = min(columns, len(images))
	rows := (len(images) + columns - 1) / columns
	below := 0
	if c.Captions != nil {
		below = captionGap
	}
	step := image.Pt(size+gridMargin, size+below+gridMargin)
	canvas := image.NewRGBA(image.Rect(0, 0, columns*step.X+gridMargin, rows*step.Y+gridMargin))
	draw.Draw(canvas, canvas.Bounds(), image.White, image.Point{}, draw.Src)
	for i, img := range images {
		at := image.Pt(gridMargin+i%columns*step.X, gridMargin+i/columns*step.Y)
		draw.NearestNeighbor.Scale(canvas, fit(img.Bounds(), size).Add(at), img, img.Bounds(), draw.Over, nil)
		if c.Captions != nil {
			ink := color.Color(color.RGBA{30, 41, 59, 255})
			if c.Wrong != nil && c.Wrong[i] {
				ink = color.RGBA{194, 65, 12, 255}
			}
			if err := caption(canvas, c.Captions[i], at.Add(image.Pt(0, size+captionGap-5)), size, ink); err != nil {
				return nil, fmt.Errorf("viz: %w", err)
			}
		}
	}
	text := say("%d images", len(images))
	if c.Captions != nil {
		text += ": " + strings.Join(c.Captions, ", ")
	}
	return &Picture{canvas, text}, nil
}

// fit is the rectangle of an image whose longer side is size.
func fit(b image.Rectangle, size int) image.Rectangle {
	w, h := size, size
	if b.Dx() > b.Dy() {
		h = max(size*b.Dy()/b.Dx(), 1)
	} else if b.Dy() > 0 {
		w = max(size*b.Dx()/b.Dy(), 1)
	}
	return image.Rect(0, 0, w, h)
}

var face = sync.OnceValues(func() (font.Face, error) {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	return opentype.NewFace(f, &opentype.FaceOptions{Size: fontSize, DPI: 72, Hinting: font.HintingFull})
})

// caption writes a line in the middle of a width; what is too long is cut.
func caption(dst draw.Image, s string, at image.Point, width int, ink color.Color) error {
	f, err := face()
	if err != nil {
		return err
	}
	room := fixed.I(width + gridMargin)
	runes := []rune(s)
	for len(runes) > 1 && font.MeasureString(f, string(runes)) > room {
		runes = append(runes[:len(runes)-2], '…')
	}
	s = string(runes)
	x := fixed.I(at.X) + (fixed.I(width)-font.MeasureString(f, s))/2
	d := font.Drawer{Dst: dst, Src: image.NewUniform(ink), Face: f, Dot: fixed.Point26_6{X: x, Y: fixed.I(at.Y)}}
	d.DrawString(s)
	return nil
}
