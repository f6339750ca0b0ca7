package datasets

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// GoSource returns the source text of packages of Go's standard library, "strings"
// or "net/http" say: their files without tests, one behind the other, as they are
// in this machine's Go. Text differs from version to version of Go.
//
// Source: https://go.dev/src/
func GoSource(packages ...string) (string, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("datasets: GoSource: cannot ask the go command where it is: %w", err)
	}
	var text strings.Builder
	for _, p := range packages {
		pattern := filepath.Join(strings.TrimSpace(string(out)), "src", filepath.FromSlash(p), "*.go")
		files, err := filepath.Glob(pattern)
		if err != nil {
			return "", fmt.Errorf("datasets: GoSource: expected a package's name, got %q", p)
		}
		if len(files) == 0 {
			return "", fmt.Errorf("datasets: GoSource: expected a package of Go's standard library, got %q: there is no %s", p, pattern)
		}
		for _, f := range files { // Glob sorts them
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			raw, err := os.ReadFile(f)
			if err != nil {
				return "", fmt.Errorf("datasets: GoSource: %w", err)
			}
			text.Write(raw)
		}
	}
	return text.String(), nil
}
