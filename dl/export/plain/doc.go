// Package plain computes ONNX's operators with Go's standard library alone. An exported
// model takes the files that it needs with it, as part of its own package, so nothing here
// has an exported name, and every file stands without what it does not call.
//
// Numbers of a tensor lie in rows. What does not fit (an index out of range, shapes that do
// not go together) ends a computation by fail, and becomes an error where it was begun.
//
// Source: https://onnx.ai/onnx/operators/
package plain
