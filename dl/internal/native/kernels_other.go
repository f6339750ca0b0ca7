//go:build !(cgo && (linux || darwin) && (amd64 || arm64))

package native

import (
	"errors"

	"github.com/gradbook/gradbook/dl/internal/plugin"
)

func register(*plugin.Plugin, string) error {
	return errors.New("this program was built without C, or for a processor that has no kernels")
}
