package translate

import (
	"fmt"

	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/dtypes/float16"
)

func asHalves(flat any) []float64 {
	var out []float64
	switch f := flat.(type) {
	case []float16.Float16:
		for _, x := range f {
			out = append(out, float64(x.Float32()))
		}
	case []bfloat16.BFloat16:
		for _, x := range f {
			out = append(out, float64(x.Float32()))
		}
	default:
		panic(fmt.Errorf("expected numbers, got %T", flat))
	}
	return out
}
