package network

import (
	"fmt"
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/native"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/regularizers"
)

// Variable is a value that is kept between steps: a weight, a slot of an optimizer, or what a
// stateful layer carries on. It is in host or, once a step has used it, on a device.
type Variable struct {
	Shape       shapes.Shape
	Fixed       bool // no weight that an optimizer changes
	Frozen      bool // by SetTrainable
	State       bool // carried from batch to batch
	Regularizer regularizers.Regularizer
	Constraint  constraints.Constraint
	// Fitting is the network that is being trained with it; nil if none is.
	Fitting *Network

	run, runs int // of whole numbers; 0 for float32

	lock   *Lock // of its network; nil for slots
	host   []float32
	on     *device.Device
	buffer compute.Buffer
}

// NewWhole makes a variable of whole numbers of 8 bits, which takes over the values: [runs…, filters], with
// runs of so many numbers.
func NewWhole(shape layers.Shape, run int, values []float32) *Variable {
	filters := shape[len(shape)-1]
	v := &Variable{Shape: shapes.Make(dtypes.Int8, shape...), host: values, run: run}
	v.runs = v.Shape.Size() / max(run*filters, 1)
	return v
}

// Stored is the shape of what is on a device.
func (v *Variable) Stored() shapes.Shape {
	if v.run == 0 {
		return v.Shape
	}
	return shapes.Make(dtypes.Int8, native.PackedShape(v.runs, v.run, v.filters())...)
}

func (v *Variable) filters() int { return v.Shape.Dimensions[v.Shape.Rank()-1] }

// Check says which of values the variable cannot take.
func (v *Variable) Check(values []float32) error {
	if v.run == 0 {
		return nil
	}
	for i, x := range values {
		if !(x >= -128 && x <= 127) || x != float32(math.Trunc(float64(x))) {
			return fmt.Errorf("expected whole numbers from -128 to 127, got %v as number %d", x, i)
		}
	}
	return nil
}

// NewVariable makes a variable of float32, which takes over the values.
func NewVariable(shape layers.Shape, values []float32) *Variable {
	return &Variable{Shape: shapes.Make(dtypes.Float32, shape...), host: values}
}

// Trainable says whether training changes it.
func (v *Variable) Trainable() bool { return !v.Fixed && !v.Frozen }

// Values returns a copy of the values.
func (v *Variable) Values() ([]float32, error) {
	out := make([]float32, v.Shape.Size())
	if v.buffer == nil {
		copy(out, v.host)
		return out, nil
	}
	read := func(flat any) error {
		if err := v.buffer.ToFlatData(flat); err != nil {
			return fmt.Errorf("cannot read a weight of %v from the device: %w", v.Shape, err)
		}
		return nil
	}
	if v.run > 0 {
		packed := make([]int8, v.Stored().Size())
		err := read(packed)
		return native.Unpack(packed, v.runs, v.run, v.filters()), err
	}
	return out, read(out)
}

// Set replaces the values.
func (v *Variable) Set(values []float32) {
	engine.Free(v.buffer)
	v.host, v.on, v.buffer = values, nil, nil
}

// Put takes over a buffer with new values; the one before is used up.
func (v *Variable) Put(d *device.Device, b compute.Buffer) { v.host, v.on, v.buffer = nil, d, b }

// OnDevice returns the values on d, and moves them there.
func (v *Variable) OnDevice(d *device.Device) (compute.Buffer, error) {
	if v.buffer != nil && v.on == d {
		return v.buffer, nil
	}
	values, err := v.Values()
	if err != nil {
		return nil, err
	}
	var flat any = values
	if v.run > 0 {
		flat = native.Pack(values, v.runs, v.run, v.filters())
	}
	b, err := engine.Upload(d, flat, v.Stored())
	if err != nil {
		err = engine.OutOfMemory(err, "the weights", "make the model smaller; other notebooks on the same device hold memory too")
		return nil, fmt.Errorf("cannot move a weight of %v to the device: %w", v.Shape, err)
	}
	engine.Free(v.buffer)
	v.Put(d, b)
	return b, nil
}

// Snapshot holds the values of variables, to go back to.
type Snapshot [][]float32

// TakeSnapshot copies values.
func TakeSnapshot(vars []*Variable) (Snapshot, error) {
	s := make(Snapshot, len(vars))
	for i, v := range vars {
		var err error
		if s[i], err = v.Values(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Restore sets the variables back, which take over the values.
func (s Snapshot) Restore(vars []*Variable) {
	for i, v := range vars {
		v.Set(s[i])
	}
}

// Weight is a variable by its name in a network: "dense/kernel".
type Weight struct {
	Name string
	*Variable
}

// Kept are the weights but for what stateful layers carry from batch to batch.
func Kept(weights []Weight) (all []Weight) {
	for _, w := range weights {
		if !w.State {
			all = append(all, w)
		}
	}
	return all
}

// VariablesOf are the variables of weights.
func VariablesOf(weights []Weight) (all []*Variable) {
	for _, w := range weights {
		all = append(all, w.Variable)
	}
	return all
}

// WeightsOn returns the buffers of weights on a device.
func WeightsOn(d *device.Device, weights []Weight) ([]compute.Buffer, error) {
	var all []compute.Buffer
	for _, w := range weights {
		b, err := w.OnDevice(d)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.Name, err)
		}
		all = append(all, b)
	}
	return all, nil
}
