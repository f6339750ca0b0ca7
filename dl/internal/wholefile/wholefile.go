// Package wholefile reads files that may be anything: a pipe that never ends, or more than fits
// into memory.
package wholefile

import (
	"fmt"
	"os"

	"github.com/gradbook/gradbook/dl/memory"
)

// Regular describes a file, and refuses what is none, such as a pipe.
func Regular(path string) (os.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("expected a regular file, got %s", info.Mode().Type())
	}
	return info, nil
}

// Read reads a regular file, if memory has room for three times as much: what is made of it
// comes beside it.
func Read(path string) ([]byte, error) {
	info, err := Regular(path)
	if err != nil {
		return nil, err
	}
	if TooLarge(uint64(info.Size())) {
		return nil, fmt.Errorf("a file of %d bytes needs more memory than there is", info.Size())
	}
	return os.ReadFile(path)
}

// TooLarge says whether memory has no room for so many bytes and what is made of them.
func TooLarge(bytes uint64) bool {
	limit := memory.Limit()
	return limit > 0 && bytes > limit/3
}
