//go:build !(linux && amd64)

package install

import "github.com/gomlx/go-xla/installer"

// cudaAutoInstall is nil: there is no CUDA here.
var cudaAutoInstall func(path string, useCache bool, v installer.VerbosityLevel) error
