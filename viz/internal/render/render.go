// Package render draws charts with echarts' own renderers in a JavaScript
// interpreter written in Go: no browser, no node.
//
// Source: https://echarts.apache.org/handbook/en/how-to/cross-platform/server/
package render

import (
	"fmt"
	"image"
	"sync"

	"github.com/dop251/goja"

	"github.com/gradbook/gradbook/viz/internal/canvas"
	"github.com/gradbook/gradbook/viz/labextension"
)

// SVG draws a chart's data, as JSON, in a picture of the given width in pixels.
func SVG(data []byte, width int) (string, error) {
	out, err := svg.call(string(data), width)
	if err != nil {
		return "", fmt.Errorf("svg: %w", err)
	}
	return lean(out.String()), nil
}

// Image is SVG, but draws pixels: scale of them for each pixel of the chart.
func Image(data []byte, width int, scale float64) (image.Image, error) {
	out, err := pixels.call(string(data), width, scale)
	if err != nil {
		return nil, fmt.Errorf("image: %w", err)
	}
	img, ok := out.Export().(image.Image)
	if !ok {
		return nil, fmt.Errorf("image: the renderer returned %v", out)
	}
	return img, nil
}

// interpreter is one that is made when it is first needed; it runs one call at a
// time.
type interpreter struct {
	mu     sync.Mutex
	draw   string // the function that is called
	setup  func(*goja.Runtime) error
	vm     *goja.Runtime
	called goja.Callable
}

var (
	svg = &interpreter{draw: `(function (data, width) {
	var chart = echarts.init(null, gradbookChart.theme(false), {renderer: 'svg', ssr: true, width: width, height: 300});
	try {
		gradbookChart.draw(chart, JSON.parse(data), width);
		return chart.renderToSVGString();
	} finally {
		chart.dispose();
	}
})`, setup: func(*goja.Runtime) error { return nil }}

	pixels = &interpreter{draw: `(function (data, width, scale) {
	data = JSON.parse(data);
	var height = gradbookChart.prepare(data, width).height, canvas = newCanvas(width * scale, height * scale);
	echarts.setPlatformAPI({
		createCanvas: function () { return newCanvas(1, 1); },
		measureText: gradbookChart.measure(newCanvas(1, 1)),
		loadImage: function (source, loaded) {
			var picture = newImage(source), image = picture ? {width: picture.width, height: picture.height, picture: picture} : {};
			if (picture) pending.push(loaded.bind(image));
			return image;
		}
	});
	var pending = [], chart = echarts.init(canvas, gradbookChart.theme(false), {renderer: 'canvas', width: width, height: height, devicePixelRatio: scale});
	try {
		gradbookChart.draw(chart, data, width);
		chart.getZr().refreshImmediately();
		while (pending.length > 0) pending.pop()();
		chart.getZr().refreshImmediately();
		return canvas.snapshot();
	} finally {
		chart.dispose();
	}
})`, setup: func(vm *goja.Runtime) error {
		vm.SetFieldNameMapper(goja.UncapFieldNameMapper())
		if err := vm.Set("newCanvas", canvas.New); err != nil {
			return err
		}
		return vm.Set("newImage", canvas.LoadImage)
	}}
)

// before is what echarts looks for at load time.
const before = `var setTimeout = function () { return 0 }, clearTimeout = function () {};`

func (i *interpreter) call(args ...any) (goja.Value, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.called == nil {
		if err := i.start(); err != nil {
			return nil, err
		}
	}
	values := make([]goja.Value, len(args))
	for k, a := range args {
		values[k] = i.vm.ToValue(a)
	}
	return i.called(goja.Undefined(), values...)
}

func (i *interpreter) start() error {
	i.vm = goja.New()
	if err := i.setup(i.vm); err != nil {
		return err
	}
	for _, script := range []struct{ name, source string }{
		{"before.js", before},
		{"echarts.min.js", labextension.ECharts},
		{"chart.js", labextension.Chart},
		{"space.js", labextension.Space},
	} {
		if _, err := i.vm.RunScript(script.name, script.source); err != nil {
			return err
		}
	}
	f, err := i.vm.RunScript("draw.js", i.draw)
	if err != nil {
		return err
	}
	i.called, _ = goja.AssertFunction(f)
	return nil
}
