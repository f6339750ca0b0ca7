package dl

import (
	"context"
	"errors"
	"fmt"

	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/fault"
	"github.com/gradbook/gradbook/dl/layers"
)

// NotBuiltError says that a model is used whose shapes are not known yet. Begin it with a
// layers.Input, or call BuildFor.
type NotBuiltError struct {
	// Model is the model's name.
	Model string
	// Err is the whole message.
	Err error
}

// NotCompiledError says that a model is to be trained or evaluated that has no loss. Call
// Compile first.
type NotCompiledError struct {
	// Model is the model's name, Doing what was to be done with it: "fit".
	Model, Doing string
	// Err is the whole message.
	Err error
}

// ShapeError says that a shape does not fit: of a layer's input, of what a dataset has for an
// input of the model, or of a value for a weight.
type ShapeError struct {
	// Layer is the layer's name; "" before a model has given it one.
	Layer string
	// Expected is the shape that would fit, nil where more than one would; Got is the one
	// that came. Both leave out the batch; weights have none.
	Expected, Got layers.Shape
	// Err is the whole message.
	Err error
}

// FormatError says that a file does not hold what it should: it is damaged, was written by a
// newer dl, or has another model. What was to be loaded into is as it was.
type FormatError struct {
	// Path is the file's.
	Path string
	// Err is the whole message.
	Err error
}

// InterruptedError is what Fit returns when its context is cancelled. The model keeps what it
// has learned.
type InterruptedError struct {
	// Epoch and Batch say how far Fit came: whole epochs, and batches of the one after them.
	Epoch, Batch int
	// Epochs and Batches say how far it should have come; Batches is −1 where that is not
	// known.
	Epochs, Batches int
	// Err is the whole message, of which the context's error is the cause.
	Err error
}

// OutOfMemoryError says that a device had too little memory. The model can be used on: it is as
// it was when the epoch began, or has learned what it had until then.
type OutOfMemoryError struct {
	// Device is the device's name: "cuda:0", "cpu".
	Device string
	// Wanted is how many bytes were asked for at once; 0 if the device did not say.
	Wanted uint64
	// For is what they were for, for example "a batch of 512 examples"; Advice says what to
	// lower.
	For, Advice string
	// Err is the whole message.
	Err error
}

func (e *NotBuiltError) Error() string    { return e.Err.Error() }
func (e *NotCompiledError) Error() string { return e.Err.Error() }
func (e *ShapeError) Error() string       { return e.Err.Error() }
func (e *FormatError) Error() string      { return e.Err.Error() }
func (e *InterruptedError) Error() string { return e.Err.Error() }
func (e *OutOfMemoryError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *NotBuiltError) Unwrap() error { return e.Err }

// Unwrap returns Err.
func (e *NotCompiledError) Unwrap() error { return e.Err }

// Unwrap returns Err.
func (e *ShapeError) Unwrap() error { return e.Err }

// Unwrap returns Err.
func (e *FormatError) Unwrap() error { return e.Err }

// Unwrap returns Err; errors.Is finds the context's error in it.
func (e *InterruptedError) Unwrap() error { return e.Err }

// Unwrap returns Err, which ends with the device's own.
func (e *OutOfMemoryError) Unwrap() error { return e.Err }

// edge makes an error that leaves the package: with the package's name before it, and as one of
// the types above, whose text is that of all of it.
func edge(err error) error {
	if err == nil {
		return nil
	}
	return typed(err, fmt.Errorf("dl: %w", err))
}

// typed makes an error one of the types above, with this message.
func typed(err, all error) error {
	var (
		notBuilt    *fault.NotBuiltError
		notCompiled *fault.NotCompiledError
		shape       *fault.ShapeError
		format      *fault.FormatError
		interrupted *fault.InterruptedError
		memory      *engine.OutOfMemoryError
	)
	switch {
	case errors.As(err, &interrupted):
		return &InterruptedError{interrupted.Epoch, interrupted.Batch, interrupted.Epochs, interrupted.Batches, all}
	case errors.As(err, &memory):
		return &OutOfMemoryError{memory.Device, memory.Wanted, memory.For, memory.Advice, all}
	case errors.As(err, &notBuilt):
		return &NotBuiltError{notBuilt.Model, all}
	case errors.As(err, &notCompiled):
		return &NotCompiledError{notCompiled.Model, notCompiled.Doing, all}
	case errors.As(err, &format):
		return &FormatError{format.Path, all}
	case errors.As(err, &shape):
		return &ShapeError{shape.Layer, shape.Expected, shape.Got, all}
	}
	return all
}

// notBuilt is the error of a model without shapes.
func (m *Model) notBuilt() error { return edge(&fault.NotBuiltError{Model: m.m.Name}) }

var errNoContext = errors.New("expected a context, got nil")

// orBackground is the context of what need not be given one.
func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}
