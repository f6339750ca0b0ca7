// Package labextension carries viz's extension of JupyterLab: the renderer of
// its charts, and echarts, which it loads from the Jupyter server.
//
// The extension is written as the container that webpack's module federation
// would produce, so there is nothing to build and setup needs no node.
// echarts.min.js is that of the npm package echarts 5.6.0, unchanged.
package labextension

import "embed"

// Files are what belongs into the folder labextensions/@gradbook/viz.
//
//go:embed package.json static schemas
var Files embed.FS

// ECharts is the source of echarts.
//
//go:embed static/echarts.min.js
var ECharts string

// Chart and Space say what a chart looks like, and Mount what it does in a page.
// They need ECharts, in this order.
var (
	//go:embed static/chart.js
	Chart string
	//go:embed static/space.js
	Space string
	//go:embed static/mount.js
	Mount string
)

// EChartsSHA256 is the checksum of the file as published.
const EChartsSHA256 = "bf4a223524e40b77c304bec67e1222cf551f14880cf42c69dc046558e11c07b1"
