package format

import (
	"fmt"
	"strconv"

	"github.com/gradbook/gradbook/dl/internal/safetensors"
)

// The versions of dl's files:
//
//	1  the first
//
// testdata/files of package dl has a file of each, which a test loads. Whoever changes what is
// written raises version, adds a line here and files there, and reads the older ones here.

// checkVersion reports a file that this dl does not read.
func checkVersion(f safetensors.File) error {
	text := f.Metadata["version"]
	v, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return fmt.Errorf("expected the version of the file's format as a number, got %q", text)
	case v > version:
		return fmt.Errorf("expected a file of version %d or older, got %d: a newer dl has written it", version, v)
	case v < oldestVersion:
		return fmt.Errorf("expected a file of version %d or newer, got %d", oldestVersion, v)
	}
	return nil
}
