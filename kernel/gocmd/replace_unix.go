//go:build unix

package gocmd

import (
	"fmt"
	"os"
	"syscall"
)

// replace becomes the command, so that signals reach it and its parent sees it
// end.
func replace(goCmd string, args []string) int {
	err := syscall.Exec(goCmd, append([]string{goCmd}, args...), os.Environ())
	fmt.Fprintf(os.Stderr, "gradbook: %s: %v\n", goCmd, err)
	return 1
}
