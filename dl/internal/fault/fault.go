// Package fault is the errors that dl's rooms make and its users can tell apart: dl shows each
// as a type of its own.
package fault

import (
	"fmt"
)

// NotBuiltError says that a model is used before its shapes are known.
type NotBuiltError struct{ Model string }

func (e *NotBuiltError) Error() string {
	return "the model is not built: its input shape is not known; begin it with a layers.Input, or call BuildFor"
}

// NotCompiledError says that a model has no loss.
type NotCompiledError struct {
	Model string
	// Doing is what is about to be done: "fit".
	Doing string
}

func (e *NotCompiledError) Error() string {
	return fmt.Sprintf("model %q is not compiled: call Compile before you %s", e.Model, e.Doing)
}

// ShapeError says that shapes do not fit together.
type ShapeError struct {
	// Layer is its name, "" if it has none.
	Layer string
	// Expected may be nil where more than one shape would do. Both leave out the batch.
	Expected, Got []int
	// Text says all of it.
	Text string
}

func (e *ShapeError) Error() string { return e.Text }

// FormatError says that a file does not hold what it should.
type FormatError struct {
	Path string
	// Doing is what was about to be done: "load".
	Doing string
	Err   error
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("cannot %s: %v", e.Doing, e.Err)
}

// Unwrap returns what is wrong with the file.
func (e *FormatError) Unwrap() error { return e.Err }

// InterruptedError says how far training came when its context was cancelled.
type InterruptedError struct {
	Epoch, Batch, Epochs, Batches int
	Err                           error
}

func (e *InterruptedError) Error() string {
	of := fmt.Sprint(e.Batches)
	if e.Batches < 0 {
		of = "an unknown number of"
	}
	return fmt.Sprintf("training was interrupted after %d of %d epochs and %d of %s batches; the model keeps what it has learned: %v",
		e.Epoch, e.Epochs, e.Batch, of, e.Err)
}

// Unwrap returns the context's error.
func (e *InterruptedError) Unwrap() error { return e.Err }
