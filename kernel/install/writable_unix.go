//go:build unix

package install

import "golang.org/x/sys/unix"

// writable says whether this user may make files in a folder that is there, or would
// be.
func writable(dir string) bool {
	err := unix.Access(dir, unix.W_OK)
	return err == nil || err == unix.ENOENT
}
