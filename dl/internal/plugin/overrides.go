package plugin

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Option is an option of XLA's compiler by its name, without the --.
type Option struct {
	Name string
	// Value is a bool or an int.
	Value any
}

// overrides writes options as a CompileOptionsProto that holds nothing else.
//
// Source: https://github.com/openxla/xla/blob/main/xla/pjrt/proto/compile_options.proto
func overrides(options []Option) (all []byte) {
	const (
		envOptionOverrides  = 7
		key, value          = 1, 2 // of an entry of a map
		boolField, intField = 2, 3
	)
	for _, o := range options {
		var v []byte
		switch x := o.Value.(type) {
		case bool:
			v = protowire.AppendVarint(protowire.AppendTag(nil, boolField, protowire.VarintType), protowire.EncodeBool(x))
		case int:
			v = protowire.AppendVarint(protowire.AppendTag(nil, intField, protowire.VarintType), uint64(x))
		default:
			panic(fmt.Sprintf("plugin: expected a bool or an int for %s, got %T", o.Name, x))
		}
		entry := protowire.AppendString(protowire.AppendTag(nil, key, protowire.BytesType), o.Name)
		entry = protowire.AppendBytes(protowire.AppendTag(entry, value, protowire.BytesType), v)
		all = protowire.AppendBytes(protowire.AppendTag(all, envOptionOverrides, protowire.BytesType), entry)
	}
	return all
}
