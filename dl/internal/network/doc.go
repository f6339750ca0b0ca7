// Package network is a model as layers that are applied to symbols: shapes, names, weights, and
// the way of a batch through them as a graph.
//
// It knows nothing of losses, optimizers, datasets or files. Training is package train's, files
// are package format's; package dl shows all of it to users.
//
// What may be used by several goroutines is guarded by a Lock, of which networks that share
// layers have one together, and others another.
package network
