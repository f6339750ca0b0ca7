//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64) || (windows && amd64))

package device

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
)

// newXLA opens the plugin at an absolute path, so that nothing is searched for
// or downloaded.
func newXLA(path string) (compute.Backend, error) { return xla.New(path) }
