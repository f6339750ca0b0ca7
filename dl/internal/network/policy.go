package network

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
)

var policies = map[string]dtypes.DType{
	"float32": dtypes.Float32, "mixed_bfloat16": dtypes.BFloat16, "mixed_float16": dtypes.Float16,
}

// Policy is the type in which layers compute under one of Keras's policies.
func Policy(name string) (dtypes.DType, error) {
	t, ok := policies[name]
	if !ok {
		return t, fmt.Errorf("expected a policy of float32, mixed_bfloat16 or mixed_float16, got %q", name)
	}
	return t, nil
}

// PolicyName is the name of a type's policy; "" of none.
func PolicyName(t dtypes.DType) string {
	for name, p := range policies {
		if p == t {
			return name
		}
	}
	return ""
}
