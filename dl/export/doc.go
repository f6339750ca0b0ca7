// Package export makes of a model what leaves a notebook: a package of plain Go, a page for
// browsers, a library for C, or a program that computes with XLA.
//
//	err := export.Save(m, "digits")
//	err := export.Save(m, "page", export.Config{Format: export.WebAssembly})
//
// All but the last contain the weights and need Go's standard library only: no XLA, no cgo
// (but for what C needs of it). What cannot be exported is an error that names the operator.
//
// A model goes by ONNX (package onnx): what has a form there is exported, and files of ONNX
// are, too.
package export
