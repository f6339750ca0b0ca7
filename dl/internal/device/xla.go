//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64) || (windows && amd64))

package device

import (
	"fmt"
	"os"
	"strconv"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
)

// hasXLA says whether this program can load plugins.
const hasXLA = true

// newXLA opens the plugin at an absolute path, so that nothing is searched for
// or downloaded. A GPU's memory is taken as it is needed, so that several programs
// share it.
func newXLA(path string) (compute.Backend, error) {
	options := pjrt.NamedValuesMap{}
	if share := os.Getenv(GPUMemoryEnv); share != "" && pjrt.IsCUDAName(path) {
		f, err := strconv.ParseFloat(share, 32)
		if err != nil || f <= 0 || f > 1 {
			return nil, fmt.Errorf("expected a share of the GPU's memory above 0 and up to 1 in %s, got %q", GPUMemoryEnv, share)
		}
		options["memory_fraction"] = float32(f)
	}
	return xla.NewWithOptions(path, options)
}
