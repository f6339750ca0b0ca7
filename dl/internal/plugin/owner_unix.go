//go:build unix

package plugin

import (
	"io/fs"
	"os"
	"syscall"
)

// ours says whether a folder is this user's, or the system's.
func ours(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && (stat.Uid == 0 || int64(stat.Uid) == int64(os.Getuid()))
}
