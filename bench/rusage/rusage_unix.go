//go:build unix

// Package rusage says what a process used.
package rusage

import (
	"runtime"
	"syscall"
)

// Peak is the greatest resident size of this process in MB.
func Peak() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" { // in bytes; elsewhere in KB
		return float64(u.Maxrss) / (1 << 20)
	}
	return float64(u.Maxrss) / (1 << 10)
}
