// Package viz draws what dl and datasets produce: trainings while they run, what
// layers do and have learned, what a classifier is worth.
//
// A chart is data: an option of echarts that JupyterLab draws with the extension
// that setup installs, and that is drawn as SVG, in Go, for everything that does
// not know the extension. Nothing is loaded from another host, and no text of a
// chart is ever run or read as HTML. Any chart of go-echarts can be shown, too.
//
//	history, err := model.Fit(ctx, train, dl.FitConfig{Epochs: 5})
//	curves, err := viz.TrainingCurves(history)
//	err = viz.Show(curves)
package viz
