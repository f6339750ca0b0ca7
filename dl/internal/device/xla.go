//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64) || (windows && amd64))

package device

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"

	"github.com/gradbook/gradbook/dl/internal/mpi"
	"github.com/gradbook/gradbook/dl/internal/native"
	"github.com/gradbook/gradbook/dl/internal/plugin"
)

// hasXLA says whether this program can load plugins.
const hasXLA = true

// newXLA opens a plugin. A GPU's memory is taken as it is needed, so that several
// programs share it.
func newXLA(kind, path string) (compute.Backend, *plugin.Plugin, error) {
	options := pjrt.NamedValuesMap{}
	var config string
	if kind == "cuda" {
		if share := os.Getenv(GPUMemoryEnv); share != "" {
			f, err := strconv.ParseFloat(share, 32)
			if err != nil || f <= 0 || f > 1 {
				return nil, nil, fmt.Errorf("expected a share of the GPU's memory above 0 and up to 1 in %s, got %q", GPUMemoryEnv, share)
			}
			options["memory_fraction"] = float32(f)
		}
		tf32, err := TF32()
		if err != nil {
			return nil, nil, err
		}
		config = ",tf32=" + strconv.FormatBool(tf32)
	}
	if kind == "cpu" {
		// A CPU that is told what to do and not waited for does one program after another,
		// whoever wants them; one that computes in the caller's thread computes for several
		// callers at a time.
		options["asynchronous"] = false
	}
	p, err := plugin.Open(path, kind)
	if err != nil {
		return nil, nil, err
	}
	if isPinned(kind, path) {
		p.KeepBlocks()
	}
	kept, err := store(kind, path, config)
	if err != nil {
		return nil, nil, err
	}
	if kept != nil {
		p.Keep(kept)
	}
	b, err := xla.NewWithOptions(p.Name+config, options)
	if err == nil && kind == "cpu" {
		err = errors.Join(native.Enable(b, p), mpi.Enable(p))
	}
	return b, p, err
}
