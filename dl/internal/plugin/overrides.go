package plugin

import "google.golang.org/protobuf/encoding/protowire"

// overrides writes options that are true as a CompileOptionsProto that holds nothing else.
//
// Source: https://github.com/openxla/xla/blob/main/xla/pjrt/proto/compile_options.proto
func overrides(options []string) (all []byte) {
	const (
		envOptionOverrides = 7
		key, value         = 1, 2 // of an entry of a map
		boolField          = 2
	)
	for _, name := range options {
		yes := protowire.AppendVarint(protowire.AppendTag(nil, boolField, protowire.VarintType), 1)
		entry := protowire.AppendString(protowire.AppendTag(nil, key, protowire.BytesType), name)
		entry = protowire.AppendBytes(protowire.AppendTag(entry, value, protowire.BytesType), yes)
		all = protowire.AppendBytes(protowire.AppendTag(all, envOptionOverrides, protowire.BytesType), entry)
	}
	return all
}
