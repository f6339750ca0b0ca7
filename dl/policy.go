package dl

import (
	"sync"

	"github.com/gomlx/compute/dtypes"

	"github.com/gradbook/gradbook/dl/internal/network"
)

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
	if _, err := network.Policy(name); err != nil {
		return edge(err)
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

// policyType is the type of that policy; zero is as it is.
func policyType() dtypes.DType {
	t, _ := network.Policy(DTypePolicy()) // which SetDTypePolicy has checked
	if t == dtypes.Float32 {
		return dtypes.InvalidDType
	}
	return t
}
