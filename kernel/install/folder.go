package install

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gradbook/gradbook/dl/cache"
)

// RunFolder is a folder for files that are made in use and run: that for temporary files
// or, where a system does not allow to run anything there, one of the user's.
func RunFolder(l Layout) (string, error) {
	candidates := []string{os.TempDir(), l.UserDir("run")}
	if dir, err := cache.Dir(); err == nil {
		candidates = append(candidates, filepath.Join(dir, "run"))
	}
	var reasons []error
	for _, dir := range candidates {
		err := os.MkdirAll(dir, 0o755)
		switch {
		case err == nil && noExec(dir):
			err = fmt.Errorf("%s: nothing may be run there (it is mounted with noexec)", dir)
		case err == nil && !cache.Writable(filepath.Join(dir, "x")):
			err = fmt.Errorf("%s: it cannot be written", dir)
		}
		if err == nil {
			return dir, nil
		}
		reasons = append(reasons, err)
	}
	return "", fmt.Errorf("no folder for the libraries of cells; set TMPDIR to one: %w", errors.Join(reasons...))
}
