package engine

import "testing"

// TestHints: what beginners write leads to what they mean.
func TestHints(t *testing.T) {
	b := newBook(t)
	b.ok("x := 1\ntrain, test, err := datasets.MNIST()\nmodel, err := dl.Sequential(layers.Input{Shape: layers.Shape{4}}, layers.Dense{Units: 2})", "")
	for _, c := range []struct{ source, hint string }{
		{"layers.Conv2D{Filter: 32}", "did you mean Filters?"},
		{"layers.Conv2D{kernel_size: [2]int{3, 3}}", "did you mean KernelSize?"},
		{"layer.Dense{Units: 3}", "did you mean layers?"},
		{"dl.Sequental()", "did you mean dl.Sequential?"},
		{"dl.Dense{Units: 3}", "did you mean layers.Dense?"},
		{"layers.MaxPool2D{}", "did you mean layers.MaxPooling2D?"},
		{"layers.Dense{Units: 3, Activation: \"relu\"}", "did you mean activations.ReLU?"},
		{"layers.Dense{Units: 3, Activation: activations.relu}", "(but have ReLU)"},
		{"layers.Conv2D{Filters: 3, Padding: \"same\"}", "layers.Same"},
		{"dl.CompileConfig{Optimizer: \"adam\"}", "did you mean optimizers.Adam{}?"},
		{"dl.CompileConfig{Loss: \"mse\"}", "such as losses."},
		{"viz.Show(\"text\")", "viz.Value(…) shows any value"},
		{"fmt.Printl(\"x\")", "did you mean fmt.Println?"},
		{"y = 3; print(y)", "y := … declares it"},
		{"yaml.Unmarshal(nil, &x)", `import "gopkg.in/yaml.v3" first`},
		{"model.fit(x, y, epochs=5)", "model.Fit(ctx, train, dl.FitConfig{Epochs: 5})"},
		{"model.summry()", "did you mean Summary?"},
		{"train[0]", "Take(1)"},
		{"for i in range(10):\n    print(i)", "for i := range 10 { … }"},
		{"def f(x):\n    return x", "func f(x float64) float64"},
		{"import numpy as np", "need no import"},
		{"from keras import layers", "need no import"},
		{"if x == 3:\n    x = 4", "if x == 3 { … }"},
		{"x = None", "did you mean nil?"},
		{"a = [1, 2, 3]", "a := []float64{1, 2, 3}"},
		{"plt.plot(x)", "viz.Lines"},
		{"z := 'text'", `"text"`},
		{"# comment", "begins with //"},
		{"z := x ** 2", "math.Pow(x, 2)"},
		{"Println(x)", "did you mean fmt.Println?"},
		{"modl.Summary()", "did you mean model?"},
	} {
		b.fails(c.source, "CompileError", c.hint)
	}
}
