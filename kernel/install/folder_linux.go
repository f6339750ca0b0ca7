package install

import "golang.org/x/sys/unix"

// noExec says whether a folder is on a file system from which nothing may be run.
func noExec(dir string) bool {
	var s unix.Statfs_t
	return unix.Statfs(dir, &s) == nil && s.Flags&unix.ST_NOEXEC != 0
}
