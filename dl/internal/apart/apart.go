// Package apart is what single examples have to do with a layer's weights: what layers say of
// it, and how a layer is taken apart from its activation.
package apart

import (
	"reflect"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
)

// Product is a layer that multiplies what it sees at each place by its first weight, the
// kernel, and adds its second, the bias, if it has one.
type Product interface {
	// Places are what the layer sees: [batch, places, groups, numbers], where the kernel,
	// as [numbers, groups, outputs of a group] or without groups, is what they are
	// multiplied by. It is called on the layer's input.
	Places(x *graph.Node) *graph.Node
}

// Value is a layer that may be given by its address, if it is a layer without that, too.
func Value[L any](layer L) L {
	if v := reflect.ValueOf(layer); v.Kind() == reflect.Pointer && !v.IsNil() {
		if value, ok := v.Elem().Interface().(L); ok {
			return value
		}
	}
	return layer
}

// Split is a layer without its activation, and that; nil if it has none. A layer whose type
// has no field Activation is returned as it is.
func Split(layer any) (linear any, a activations.Activation) {
	v := reflect.ValueOf(layer)
	pointer := v.Kind() == reflect.Pointer
	if pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return layer, nil
	}
	field := v.FieldByName("Activation")
	if !field.IsValid() || field.Kind() != reflect.Interface || field.IsNil() {
		return layer, nil
	}
	a, ok := field.Interface().(activations.Activation)
	if !ok {
		return layer, nil
	}
	copied := reflect.New(v.Type())
	copied.Elem().Set(v)
	copied.Elem().FieldByName("Activation").SetZero()
	if pointer {
		return copied.Interface(), a
	}
	return copied.Elem().Interface(), a
}
