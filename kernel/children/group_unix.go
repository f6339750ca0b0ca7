//go:build unix

package children

import "syscall"

// OwnGroup starts a process in a group of its own.
func OwnGroup() *syscall.SysProcAttr   { return &syscall.SysProcAttr{Setpgid: true} }
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// KillGroup kills a process and its group.
func KillGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

func interruptGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGINT) }
