package canvas

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// fonts are those that texts are drawn with: Go's own, and for characters that
// they lack what the system has.
var fonts = struct {
	sync.Mutex
	regular, bold *sfnt.Font
	others        []*sfnt.Font
	looked        bool
	buffer        sfnt.Buffer
}{}

func loadFonts() {
	if fonts.regular == nil {
		fonts.regular, _ = sfnt.Parse(goregular.TTF) // they are compiled in
		fonts.bold, _ = sfnt.Parse(gobold.TTF)
	}
}

// fallbacks are fonts with many characters, where systems have them.
var fallbacks = []string{
	"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
	"/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc", "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
	"/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
	"/usr/share/fonts/truetype/noto/NotoSans*-Regular.ttf", "/System/Library/Fonts/PingFang.ttc", "/System/Library/Fonts/Supplemental/Arial Unicode.ttf",
}

// glyph finds a font that has a character; without one it is the box of Go's.
func glyph(main *sfnt.Font, r rune) (*sfnt.Font, sfnt.GlyphIndex) {
	if i, err := main.GlyphIndex(&fonts.buffer, r); err == nil && i != 0 {
		return main, i
	}
	if !fonts.looked {
		fonts.looked = true
		for _, pattern := range fallbacks {
			files, _ := filepath.Glob(pattern) // the patterns are well formed
			for _, file := range files {
				raw, err := os.ReadFile(file)
				if err != nil {
					continue
				}
				collection, err := sfnt.ParseCollection(raw)
				if err != nil {
					continue
				}
				if f, err := collection.Font(0); err == nil {
					fonts.others = append(fonts.others, f)
				}
			}
		}
	}
	for _, f := range fonts.others {
		if i, err := f.GlyphIndex(&fonts.buffer, r); err == nil && i != 0 {
			return f, i
		}
	}
	return main, 0
}

// face is the font of a context, with its size in pixels.
func (c *Context) face() (*sfnt.Font, float64) {
	loadFonts()
	size, f := 12.0, fonts.regular
	for _, part := range strings.Fields(c.Font) {
		if v, ok := strings.CutSuffix(part, "px"); ok {
			if s, err := strconv.ParseFloat(v, 64); err == nil {
				size = s
			}
			break
		}
		if weight, err := strconv.Atoi(part); part == "bold" || part == "bolder" || err == nil && weight >= 600 {
			f = fonts.bold
		}
	}
	return f, size
}

// Metrics is a text's size.
type Metrics struct{ Width float64 }

// MeasureText says how wide a text is.
func (c *Context) MeasureText(text string) Metrics {
	fonts.Lock()
	defer fonts.Unlock()
	f, size := c.face()
	width := 0.0
	for _, r := range text {
		from, i := glyph(f, r)
		width += advance(from, i, size)
	}
	return Metrics{width}
}

func advance(f *sfnt.Font, i sfnt.GlyphIndex, size float64) float64 {
	a, err := f.GlyphAdvance(&fonts.buffer, i, fixed.Int26_6(size*64), font.HintingNone)
	if err != nil {
		return size / 2
	}
	return float64(a) / 64
}

// FillText draws a text by its outlines, so it is as sharp as the image.
func (c *Context) FillText(text string, x, y float64) { c.outlines(text, x, y, c.fill) }

// StrokeText draws the line around a text.
func (c *Context) StrokeText(text string, x, y float64) {
	c.outlines(text, x, y, func(path []segment) {
		kept := c.path
		c.path = path
		c.Stroke()
		c.path = kept
	})
}

func (c *Context) outlines(text string, x, y float64, do func([]segment)) {
	switch width := c.MeasureText(text).Width; c.TextAlign {
	case "center":
		x -= width / 2
	case "right", "end":
		x -= width
	}
	fonts.Lock()
	f, size := c.face()
	switch c.TextBaseline {
	case "middle":
		y += size * 0.36
	case "top", "hanging":
		y += size * 0.86
	case "bottom", "ideographic":
		y -= size * 0.22
	}
	kept := c.path
	c.path = nil
	for _, r := range text {
		from, i := glyph(f, r)
		segments, err := from.LoadGlyph(&fonts.buffer, i, fixed.Int26_6(size*64), nil)
		if err == nil {
			c.outline(segments, x, y)
		}
		x += advance(from, i, size)
	}
	path := c.path
	c.path = kept
	fonts.Unlock()
	do(path)
}

// outline adds a glyph to the path.
func (c *Context) outline(segments sfnt.Segments, x, y float64) {
	at := func(p fixed.Point26_6) (float64, float64) { return x + float64(p.X)/64, y + float64(p.Y)/64 }
	for _, s := range segments {
		x0, y0 := at(s.Args[0])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			c.MoveTo(x0, y0)
		case sfnt.SegmentOpLineTo:
			c.LineTo(x0, y0)
		case sfnt.SegmentOpQuadTo:
			x1, y1 := at(s.Args[1])
			c.QuadraticCurveTo(x0, y0, x1, y1)
		case sfnt.SegmentOpCubeTo:
			x1, y1 := at(s.Args[1])
			x2, y2 := at(s.Args[2])
			c.BezierCurveTo(x0, y0, x1, y1, x2, y2)
		}
	}
}
