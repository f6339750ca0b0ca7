package viz_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/viz"
)

func residual(t testing.TB) *dl.Diagram {
	t.Helper()
	image := dl.Input(layers.Shape{8, 8, 1})
	x := image.Then(layers.Conv2D{Filters: 4, KernelSize: [2]int{3, 3}, Padding: layers.Same})
	y := dl.Apply(layers.Add{}, x, x.Then(layers.BatchNormalization{}))
	m, err := dl.Functional([]*dl.Symbol{image}, []*dl.Symbol{y.Then(layers.Flatten{}, layers.Dense{Units: 10})})
	if err != nil {
		t.Fatal(err)
	}
	d, err := m.Diagram()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestModelDiagram(t *testing.T) {
	chart, err := viz.ModelDiagram(residual(t))
	if err != nil {
		t.Fatal(err)
	}
	option, svg, text := checkBundle(t, chart)
	series := option["series"].([]any)[0].(map[string]any)
	if nodes, links := series["data"].([]any), series["links"].([]any); len(nodes) != 6 || len(links) != 6 {
		t.Errorf("expected 6 boxes and 6 arrows, got %d and %d", len(nodes), len(links))
	}
	if !strings.Contains(svg, "batch_normalization") || !strings.Contains(text, "add (Add) (None, 8, 8, 4) ← conv2d, batch_normalization") {
		t.Errorf("expected the layers in picture and text, got %s", text)
	}
	if _, err := viz.ModelDiagram(nil); err == nil {
		t.Error("no diagram: expected an error, got none")
	}
}

func ExampleModelDiagram() {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{4}}, layers.Dense{Units: 2})
	if err != nil {
		panic(err)
	}
	d, err := m.Diagram()
	if err != nil {
		panic(err)
	}
	chart, err := viz.ModelDiagram(d)
	fmt.Println(chart, err)
	// Output:
	// input_layer (InputLayer) (None, 4)
	// dense (Dense) (None, 2) ← input_layer <nil>
}
