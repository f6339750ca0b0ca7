package labextension_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/gradbook/gradbook/viz/browser"
)

// reasonsCells ask models why, over a digit, a sentence and a row of a table; report on the
// fairness of one; and train one privately.
var reasonsCells = []string{
	`ctx := context.Background()
train, test, err := datasets.MNIST()
reader, err := dl.Sequential(
	layers.Input{Shape: layers.Shape{28, 28, 1}}, layers.Rescaling{Scale: 1 / 255.0},
	layers.Conv2D{Filters: 8, KernelSize: [2]int{3, 3}, Activation: activations.ReLU},
	layers.MaxPooling2D{}, layers.Flatten{}, layers.Dense{Units: 10, Activation: activations.Softmax})
crossentropy := losses.SparseCategoricalCrossentropy{}
err = reader.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{}, Loss: crossentropy})
_, err = reader.Fit(ctx, train.Take(4000).Batch(50), dl.FitConfig{Epochs: 1, Silent: true})`,
	`images, err := test.Take(1).Images()
var digits []image.Image
for batch, err := range test.Take(1).Batches() {
	seven, err2 := explain.Predicted(reader, batch.X)
	for _, how := range []explain.Method{
		explain.IntegratedGradients{}, explain.DeepSHAP{}, explain.LRP{Rule: explain.GammaRule(0.25)},
		explain.Occlusion{Window: []int{4, 4, 1}}, explain.GuidedBackprop{},
	} {
		a, err3 := how.Attribute(reader, batch.X, seven)
		if err = errors.Join(err, err2, err3); err != nil {
			panic(err)
		}
		p, err := viz.Attribution(images[0], a)
		if err != nil {
			panic(err)
		}
		digits = append(digits, p.Image())
	}
}
viz.ImageGrid(digits, viz.ImageGridConfig{Columns: 5, Size: 150,
	Captions: []string{"integrated gradients", "deep SHAP", "LRP", "occlusion", "guided"}})`,
	`known := map[string]float32{"": 0, "a": 1, "good": 2, "bad": 3, "film": 4, "warm": 5, "cold": 6, "and": 7}
sentences := [][]float32{{1, 2, 4, 0}, {1, 3, 4, 0}, {2, 7, 5, 4}, {3, 7, 6, 4}, {1, 5, 4, 0}, {1, 6, 4, 0}}
critic, err := dl.Sequential(layers.Input{Shape: layers.Shape{4}}, layers.Embedding{InputDim: 8, OutputDim: 4},
	layers.Flatten{}, layers.Dense{Units: 1, Activation: activations.Sigmoid})
err = critic.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{LearningRate: 0.05}, Loss: losses.BinaryCrossentropy{}})
praise, err := data.FromSlices(sentences, []float32{1, 0, 1, 0, 1, 0})
_, err = critic.Fit(ctx, praise, dl.FitConfig{Epochs: 60, BatchSize: 6, Silent: true})
words, err := explain.IntegratedGradients{}.Attribute(critic, tensors.FromValue([][]float32{{2, 7, 6, 4}}), explain.Target{})
viz.AttributedWords([]string{"good", "and", "cold", "film"}, words)`,
	`table, err := audit.Read(datasets.Rossi(), "arrest", "1")
men := table.Without("week", "race")
released, err := data.FromSlices(men.Scaled(men.All()), men.Labels())
parole, err := dl.Sequential(layers.Input{Shape: layers.Shape{len(men.Names)}}, layers.Dense{Units: 1, Activation: activations.Sigmoid})
err = parole.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{LearningRate: 0.05}, Loss: losses.BinaryCrossentropy{},
	Privacy: &privacy.SGD{ClipNorm: 1, NoiseMultiplier: 4, Delta: 1e-5}})
_, err = parole.Fit(ctx, released, dl.FitConfig{Epochs: 12, BatchSize: 108})`,
	`man := tensors.FromValue(men.Scaled(men.All())[:1])
row, err := explain.Shapley{}.Attribute(parole, man, explain.Target{})
viz.AttributedFeatures(men.Names, row, 0)`,
	`out, err := parole.Predict(ctx, released)
var risks []float64
for _, v := range tensors.MustCopyFlatData[float32](out) {
	risks = append(risks, float64(v))
}
groups := make([]string, len(risks))
for i, age := range table.Values("age") {
	groups[i] = map[bool]string{true: "under 24", false: "24 and older"}[age < 24]
}
report, err := fairness.Measure(fairness.Cases{Labels: men.Answers(), Selected: audit.Flag(risks, 0.3), Groups: groups})
report`,
	`viz.Fairness(report)`,
}

// TestReasons: all of it is seen, on a light page and on a dark one, wide and narrow.
func TestReasons(t *testing.T) {
	l := openLab(t, 1000, 2600, reasonsCells...)
	l.command("application:toggle-left-area", "{}")
	l.command("notebook:hide-all-cell-code", "{}")
	l.runAll()
	l.Wait(t, "an ε beside the loss", `document.querySelector(".jp-Notebook").textContent.includes("epsilon")`)
	l.Wait(t, "two charts", `document.querySelectorAll(".gradbook-chart-box canvas").length === 2`)
	l.Wait(t, "a picture of digits", `document.querySelector(".jp-OutputArea img")`)
	l.Wait(t, "a report as a table", `[...document.querySelectorAll(".jp-OutputArea table")].some(e => e.textContent.includes("24 and older"))`)
	colour := browser.Eval[string](t, l.Page, `(() => {
		const e = [...document.querySelectorAll(".jp-OutputArea span[title]")].find(e => e.textContent === "cold");
		return e ? getComputedStyle(e).backgroundColor : "";
	})()`)
	if !strings.HasPrefix(colour, "rgba(220, 38, 38, 0.") {
		t.Errorf("expected the word that speaks against it to be red, got %q", colour)
	}
	l.Do(t, chromedp.Sleep(500*time.Millisecond))
	l.Screenshot(t, "light")
	l.command("apputils:change-theme", `{theme: "JupyterLab Dark"}`)
	l.Wait(t, "the dark theme", `document.body.dataset.jpThemeLight === "false"`)
	l.Do(t, chromedp.Sleep(500*time.Millisecond))
	l.Screenshot(t, "dark")
	l.Size(t, 560, 2600)
	l.Wait(t, "charts that fit a narrow page", `[...document.querySelectorAll(".gradbook-chart-box canvas")].every(c => c.getBoundingClientRect().right <= innerWidth)`)
	l.Do(t, chromedp.Sleep(500*time.Millisecond))
	l.Screenshot(t, "narrow")
	l.Innocent(t)
}
