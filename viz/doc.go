// Package viz draws what dl and datasets produce: training curves, confusion
// matrices, images with their labels.
//
// A chart is data: an option of echarts, built with go-echarts, that JupyterLab
// draws with the extension that setup installs, and that is drawn as SVG, in
// Go, for everything that does not know the extension. Nothing is loaded from
// another host, and no text of a chart is ever run or read as HTML.
//
//	history, err := model.Fit(ctx, train, dl.FitConfig{Epochs: 5})
//	curves, err := viz.TrainingCurves(history)
//	err = viz.Show(curves)
package viz
