package viz

import (
	"bytes"
	"fmt"
	"html"
	"image"
	"path/filepath"
	"strings"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/viz/internal/render"
	"github.com/gradbook/gradbook/viz/labextension"
)

// pixelRatio is the number of pixels of a PNG for each of a chart: sharp on
// screens of high density and in print.
const pixelRatio = 2

// Image draws the chart on white, with two pixels for each of the chart.
func (c *Chart) Image() (image.Image, error) {
	data, err := c.Live()
	if err != nil {
		return nil, err
	}
	img, err := render.Image(data, c.staticWidth, pixelRatio)
	if err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	return img, nil
}

// HTML is the chart as a page that needs nothing else: it can be pointed at and
// zoomed, and is light or dark as the reader likes. It has about 1 MB, most of it
// echarts.
func (c *Chart) HTML() (string, error) {
	data, err := c.Live()
	if err != nil {
		return "", err
	}
	title, _, _ := strings.Cut(c.text, "\n")
	var b bytes.Buffer
	b.WriteString("<!doctype html>\n<html><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n<title>")
	b.WriteString(html.EscapeString(title))
	b.WriteString("</title>\n<style>:root{color-scheme:light dark}body{margin:16px;background:Canvas;color:CanvasText}</style></head>\n<body><div id=\"chart\"></div>\n")
	// In a script of data only </script> and <!-- are special; the JSON has no <.
	b.WriteString("<script type=\"application/json\" id=\"data\">")
	b.Write(data)
	b.WriteString("</script>\n<script type=\"application/json\" id=\"words\">")
	words, err := encode(c.text)
	if err != nil {
		return "", err
	}
	b.Write(words)
	b.WriteString("</script>\n")
	for _, script := range []string{labextension.ECharts, labextension.Chart, labextension.Space, labextension.Mount, page} {
		b.WriteString("<script>" + script + "</script>\n")
	}
	b.WriteString("</body></html>\n")
	return b.String(), nil
}

// page shows the chart of a page.
const page = `(function () {
	var dark = matchMedia("(prefers-color-scheme: dark)");
	var chart = gradbookChart.mount(document.getElementById("chart"), {
		load: function () { return Promise.resolve(echarts); },
		dark: function () { return dark.matches; }
	});
	dark.addEventListener("change", function () { chart.restyle(); });
	chart.set(JSON.parse(document.getElementById("data").textContent), JSON.parse(document.getElementById("words").textContent));
})();`

// Save writes the chart to a file whose name says how: .svg, .png, or .html for a
// page that needs nothing else. The file is there whole, or not at all.
func (c *Chart) Save(path string) error {
	var content []byte
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".svg":
		s, err := c.SVG()
		if err != nil {
			return err
		}
		content = []byte(s)
	case ".html", ".htm":
		s, err := c.HTML()
		if err != nil {
			return err
		}
		content = []byte(s)
	case ".png":
		img, err := c.Image()
		if err != nil {
			return err
		}
		content = encodePNG(img)
	default:
		return fmt.Errorf("viz: save: expected a name that ends in .svg, .png or .html, got %q", path)
	}
	return write(path, content)
}

// Save writes the picture to a file, whose name must end in .png.
func (p *Picture) Save(path string) error {
	if ext := strings.ToLower(filepath.Ext(path)); ext != ".png" {
		return fmt.Errorf("viz: save: expected a name that ends in .png, got %q", path)
	}
	return write(path, encodePNG(p.img))
}

func write(path string, content []byte) error {
	if err := cache.WriteFile(path, content, 0o644); err != nil {
		return fmt.Errorf("viz: save: %w", err)
	}
	return nil
}
