//go:build !(cgo && ((linux && (amd64 || arm64)) || (darwin && arm64) || (windows && amd64)))

package device

import (
	"errors"
	"runtime"

	"github.com/gomlx/compute"

	"github.com/gradbook/gradbook/dl/internal/plugin"
)

const hasXLA = false

func newXLA(string, string) (compute.Backend, *plugin.Plugin, error) {
	return nil, nil, errors.New("this program was built without cgo, or for a platform that XLA does not have: " + runtime.GOOS + "/" + runtime.GOARCH)
}
