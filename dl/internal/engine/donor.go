package engine

import (
	"reflect"

	"github.com/gomlx/go-xla/stablehlo"
	"github.com/gomlx/gomlx/core/graph"
)

// donor tells XLA that an input of a program may be written over by an output. go-xla
// gives donated buffers back after the step, but does not tell the compiler of it, so
// that it would write all weights anew, to other places, in every step. The mark is one
// that JAX made for this; go-xla writes it down, but GoMLX has no way to it.
func donor(param *graph.Node) {
	for _, op := range graph.InternalBackendOutputs(param) {
		v := reflect.Indirect(reflect.ValueOf(op))
		if v.Kind() != reflect.Struct {
			return
		}
		f := v.FieldByName("value")
		if !f.IsValid() || f.Type() != reflect.TypeFor[*stablehlo.Value]() {
			return // of another backend, or another version: as if it were not marked
		}
		value := (*stablehlo.Value)(f.UnsafePointer())
		if value.Attributes == nil {
			value.Attributes = make(map[string]any)
		}
		value.Attributes["jax.buffer_donor"] = true
	}
}
