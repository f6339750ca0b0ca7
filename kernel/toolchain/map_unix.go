//go:build unix

package toolchain

import (
	"os"
	"syscall"
)

// mapFile returns a file's bytes without reading it as a whole. They are valid until
// [unmapFile].
func mapFile(f *os.File, size int64) ([]byte, error) {
	return syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
}

func unmapFile(data []byte) error { return syscall.Munmap(data) }
