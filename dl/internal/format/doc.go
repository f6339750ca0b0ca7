// Package format is models in files: dl's own, which are safetensors with the architecture as
// JSON, and those of Keras 3.
//
// It knows nothing of how a model is trained: what of that is kept it takes from package train
// as it is.
package format
