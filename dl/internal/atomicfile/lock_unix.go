//go:build unix

package atomicfile

import (
	"os"
	"syscall"
	"time"
)

// lock says that a file is being written. The system takes the lock back when the process
// ends, in whatever way.
func lock(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// abandoned says whether nobody writes a file any more. One that was made a moment ago may not
// be locked yet.
func abandoned(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil || time.Since(info.ModTime()) < time.Second {
		return false
	}
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
