//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// become replaces this process, so that Jupyter's signals reach the kernel.
func become(cmd *exec.Cmd) error {
	// Environ leaves of each variable the last value, which Exec would not.
	return syscall.Exec(cmd.Path, cmd.Args, cmd.Environ())
}
