// Package svg draws echarts options as SVG, with echarts' own server-side
// renderer in a JavaScript interpreter written in Go: no browser, no node.
//
// Source: https://echarts.apache.org/handbook/en/how-to/cross-platform/server/
package svg

import (
	"fmt"
	"sync"

	"github.com/dop251/goja"

	"github.com/gradbook/gradbook/viz/labextension"
)

// The renderer is one interpreter, made when it is first needed; an interpreter
// runs one call at a time.
var (
	mu     sync.Mutex
	render goja.Callable
	vm     *goja.Runtime
)

// What echarts looks for at load time, and the function that Render calls.
const (
	before = `var setTimeout = function () { return 0 }, clearTimeout = function () {};`
	after  = `(function (option, width, height) {
	var chart = echarts.init(null, null, {renderer: 'svg', ssr: true, width: width, height: height});
	try {
		option = JSON.parse(option);
		option.animation = false;
		option.backgroundColor = '#ffffff';
		delete option.toolbox;
		chart.setOption(option);
		return chart.renderToSVGString();
	} finally {
		chart.dispose();
	}
})`
)

// Render draws an option, as JSON, in a picture of the given size in pixels.
func Render(option []byte, width, height int) (string, error) {
	mu.Lock()
	defer mu.Unlock()
	if render == nil {
		if err := start(); err != nil {
			return "", fmt.Errorf("svg: %w", err)
		}
	}
	out, err := render(goja.Undefined(), vm.ToValue(string(option)), vm.ToValue(width), vm.ToValue(height))
	if err != nil {
		return "", fmt.Errorf("svg: %w", err)
	}
	return out.String(), nil
}

func start() error {
	vm = goja.New()
	for _, script := range []struct{ name, source string }{
		{"before.js", before}, {"echarts.min.js", labextension.ECharts},
	} {
		if _, err := vm.RunScript(script.name, script.source); err != nil {
			return err
		}
	}
	f, err := vm.RunScript("after.js", after)
	if err != nil {
		return err
	}
	render, _ = goja.AssertFunction(f)
	return nil
}
