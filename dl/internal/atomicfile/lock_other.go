//go:build !unix

package atomicfile

import (
	"os"
	"time"
)

func lock(*os.File) {}

// abandoned says whether a file is so old that nobody writes it any more.
func abandoned(path string) bool {
	info, err := os.Stat(path)
	return err == nil && time.Since(info.ModTime()) > 24*time.Hour
}
