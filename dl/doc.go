// Package dl is deep learning in the manner of Keras: models made of layers,
// trained on datasets, on a CPU or GPU through XLA.
//
//	model, err := dl.Sequential(
//		layers.Input{Shape: layers.Shape{28, 28, 1}},
//		layers.Conv2D{Filters: 32, KernelSize: [2]int{3, 3}, Activation: activations.ReLU},
//		layers.MaxPooling2D{},
//		layers.Flatten{},
//		layers.Dense{Units: 10, Activation: activations.Softmax},
//	)
//	err = model.Compile(dl.CompileConfig{
//		Optimizer: optimizers.Adam{},
//		Loss:      losses.SparseCategoricalCrossentropy{},
//		Metrics:   []metrics.Metric{metrics.Accuracy{}},
//	})
//	history, err := model.Fit(ctx, train, dl.FitConfig{Epochs: 5})
//	result, err := model.Evaluate(ctx, test)
//
// Mistakes in shapes and settings are reported when the model is built, with
// the layer's name; those that depend on the data before the first step.
// A Fit that is interrupted keeps the weights of its last whole step; if a step
// fails, the model is as it was when the epoch began.
package dl
