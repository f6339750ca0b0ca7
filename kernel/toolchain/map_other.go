//go:build !unix

package toolchain

import (
	"io"
	"os"
)

// mapFile returns a file's bytes. They are valid until [unmapFile].
func mapFile(f *os.File, size int64) ([]byte, error) {
	data := make([]byte, size)
	_, err := io.ReadFull(f, data)
	return data, err
}

func unmapFile([]byte) error { return nil }
