// Package explain says what of an input a model's output rests on.
//
// A Method makes attributions: numbers of the input's shape, how much each part of it speaks
// for the target.
//
//	maps, err := explain.IntegratedGradients{}.Attribute(model, x, explain.Class(7))
//
// Methods disagree, and some show edges whatever the model has learned: run Randomization on
// yours before you trust one (Adebayo et al., 2018). None says what would be true of the
// world, only of the model.
package explain
