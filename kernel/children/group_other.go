//go:build !unix

package children

import (
	"os"
	"syscall"
)

// OwnGroup starts a process in a group of its own, where there are such.
func OwnGroup() *syscall.SysProcAttr   { return nil }
func ownSession() *syscall.SysProcAttr { return nil }

// KillGroup kills a process.
func KillGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}

func interruptGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Signal(os.Interrupt)
	}
}
