package datasets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// module is a Go module that carries data.
type module struct{ path, version string }

// dir asks the go command where the module is; it downloads and verifies it if
// need be.
func (m module) dir() (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", m.path+"@"+m.version)
	cmd.Dir = os.TempDir() // outside any module, whose go.mod might be broken
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	out, err := cmd.Output()
	var answer struct{ Dir, Error string }
	if json.Unmarshal(out, &answer) == nil && answer.Error != "" {
		return "", fmt.Errorf("cannot get the Go module %s: %s", m.path, answer.Error)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("cannot get the Go module %s: %s", m.path, bytes.TrimSpace(exit.Stderr))
	}
	if err != nil {
		return "", fmt.Errorf("cannot get the Go module %s: %w", m.path, err)
	}
	return answer.Dir, nil
}
