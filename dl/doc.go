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
// A stack is [Sequential]; [Functional] makes a model of [Symbol]s, which [Input] and [Apply]
// give. [Model.Compile] says how a model learns, [Model.Fit] trains it, [Model.Evaluate] and
// [Model.Predict] use it, [Model.TrainOnBatch] and its like do so for one batch; [Model.Save] and
// [Load] keep it. [Gradient], [Model.Trace] and [GradientCheck] show what training works with.
//
// What models are made of is in packages of its own: layers, activations, losses, metrics,
// optimizers, callbacks, data; ops has what can be done with symbols and nodes, and tensor how
// to make a [Tensor].
//
// Mistakes in shapes and settings are reported when the model is built, with
// the layer's name; those that depend on the data before the first step. errors.As tells them
// apart: [ShapeError], [NotBuiltError], [NotCompiledError], [FormatError], [InterruptedError],
// [OutOfMemoryError].
//
// A Fit that is interrupted keeps the weights of its last whole step; if a step
// fails, the model is as it was when the epoch began.
//
// The first time that a machine's XLA is used, a second process of the same program tries it: it
// could end the program that loads it. That process ends before main begins.
package dl
