// Gradbook is the command line: it sets notebooks up, opens and executes them,
// and tells what is wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/gradbook/gradbook/kernel/gocmd"
)

func main() {
	// Under the name of go, it is the go command of the kernel's cells.
	if name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe"); name == "go" {
		os.Exit(gocmd.Main(os.Args[1:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := root().ExecuteContext(ctx)
	interrupted := ctx.Err() != nil
	stop()
	var exit exitError
	switch {
	case err == nil:
	case errors.As(err, &exit):
		os.Exit(int(exit))
	case interrupted:
		fmt.Fprintln(os.Stderr, "gradbook:", err)
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "gradbook:", err)
		os.Exit(1)
	}
}

// exitError is the exit status of an error that has been reported already.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }
