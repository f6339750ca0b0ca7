package dl

import (
	"fmt"
	"sync"

	"github.com/gomlx/compute/dtypes"
)

var policies = map[string]dtypes.DType{
	"float32":        dtypes.InvalidDType, // as it is
	"mixed_bfloat16": dtypes.BFloat16,
	"mixed_float16":  dtypes.Float16,
}

var policy = struct {
	sync.Mutex
	name string
}{name: "float32"}

// SetDTypePolicy chooses the type in which models that are made from now on compute:
// "float32"; or "mixed_bfloat16" or "mixed_float16", which keep weights, losses and
// statistics in float32 and do the rest in 16 bits, for devices that are fast at
// it. With "mixed_float16" the loss is scaled up so that small gradients are not
// lost, and steps whose gradients overflow are left out.
//
// Source: https://keras.io/api/mixed_precision/policy/
func SetDTypePolicy(name string) error {
	if _, ok := policies[name]; !ok {
		return edge(fmt.Errorf("expected a policy of float32, mixed_bfloat16 or mixed_float16, got %q", name))
	}
	policy.Lock()
	defer policy.Unlock()
	policy.name = name
	return nil
}

// DTypePolicy is the policy that new models get.
func DTypePolicy() string {
	policy.Lock()
	defer policy.Unlock()
	return policy.name
}

func policyType() dtypes.DType { return policies[DTypePolicy()] }
