package dl

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/regularizers"
)

// variable is a value that a model keeps between steps: a weight, a slot of the
// optimizer, or what a stateful layer carries on. It is in host or, once a step has
// used it, on a device.
type variable struct {
	shape       shapes.Shape
	fixed       bool // no weight that an optimizer changes
	frozen      bool // by SetTrainable
	state       bool // carried from batch to batch
	regularizer regularizers.Regularizer
	constraint  constraints.Constraint

	host    []float32
	on      *device.Device
	buffer  compute.Buffer
	fitting *Model // the model that is trained with it
}

// weight is a variable with its name in a layer or a model.
type weight struct {
	name string
	*variable
}

func newVariable(shape layers.Shape, values []float32) *variable {
	return &variable{shape: shapes.Make(dtypes.Float32, shape...), host: values}
}

func (v *variable) trainable() bool { return !v.fixed && !v.frozen }

// trainableEver is trainable, but for SetTrainable.
func (v *variable) trainableEver() bool { return !v.fixed }

// values returns a copy of the values.
func (v *variable) values() ([]float32, error) {
	out := make([]float32, v.shape.Size())
	if v.buffer == nil {
		copy(out, v.host)
		return out, nil
	}
	if err := v.buffer.ToFlatData(out); err != nil {
		return nil, fmt.Errorf("cannot read a weight of %v from the device: %w", v.shape, err)
	}
	return out, nil
}

// set replaces the values.
func (v *variable) set(values []float32) {
	engine.Free(v.buffer)
	v.host, v.on, v.buffer = values, nil, nil
}

// onDevice returns the values on d, and moves them there.
func (v *variable) onDevice(d *device.Device) (compute.Buffer, error) {
	if v.buffer != nil && v.on == d {
		return v.buffer, nil
	}
	values, err := v.values()
	if err != nil {
		return nil, err
	}
	b, err := engine.Upload(d, values, v.shape)
	if err != nil {
		err = engine.OutOfMemory(err, "the weights", "make the model smaller; other notebooks on the same device hold memory too")
		return nil, fmt.Errorf("cannot move a weight of %v to the device: %w", v.shape, err)
	}
	engine.Free(v.buffer)
	v.host, v.on, v.buffer = nil, d, b
	return b, nil
}

// snapshot holds the values of variables, to go back to.
type snapshot [][]float32

func takeSnapshot(vars []*variable) (snapshot, error) {
	s := make(snapshot, len(vars))
	for i, v := range vars {
		var err error
		if s[i], err = v.values(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s snapshot) restore(vars []*variable) {
	for i, v := range vars {
		v.set(s[i])
	}
}
