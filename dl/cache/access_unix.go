//go:build unix

package cache

import "golang.org/x/sys/unix"

func access(dir string) bool { return unix.Access(dir, unix.W_OK) == nil }
