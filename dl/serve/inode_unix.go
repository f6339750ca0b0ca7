//go:build unix

package serve

import (
	"os"
	"syscall"
)

// inode is the number of a file, which is another one for a file that was put in its place.
func inode(info os.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Ino
	}
	return 0
}
