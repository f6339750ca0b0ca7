package session

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gradbook/gradbook/kernel/session/wire"
)

// input is the pipe that is a cell's standard input. What a person answers goes
// into it.
var input struct {
	sync.Mutex
	write   *os.File
	pending bool
}

// watchStdin gives the cell a standard input, and asks for a line when the cell
// waits for one. The returned function takes it away.
func watchStdin(allow bool) func() {
	fds, err := pipe()
	if err != nil {
		return func() {}
	}
	r, w := os.NewFile(uintptr(fds[0]), "/dev/stdin"), os.NewFile(uintptr(fds[1]), "|1")
	os.Stdin = r
	input.Lock()
	input.write, input.pending = w, false
	input.Unlock()
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(40 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			input.Lock()
			if !input.pending && input.write != nil && waitsFor(fds[0]) {
				if allow {
					input.pending = true
					emit(wire.Event{Event: "input"})
				} else {
					fmt.Fprintln(stderr, "StdinNotImplementedError: the cell reads its input, but this client cannot ask for any")
					_ = input.write.Close()
					input.write = nil
				}
			}
			input.Unlock()
		}
	}()
	return func() {
		close(quit)
		<-gone
		cancelInput()
		_ = r.Close()
	}
}

// waitsFor says whether a thread of this process waits in a read of fd.
func waitsFor(fd int) bool {
	files, err := filepath.Glob("/proc/self/task/*/syscall")
	if err != nil {
		return false
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		f := strings.Fields(string(content))
		if len(f) < 2 || f[0] != readNumber {
			continue
		}
		if n, err := strconv.ParseInt(strings.TrimPrefix(f[1], "0x"), 16, 64); err == nil && int(n) == fd {
			return true
		}
	}
	return false
}

// answer passes on what a person entered.
func answer(line string) {
	input.Lock()
	defer input.Unlock()
	if input.write != nil {
		_, _ = input.write.WriteString(line + "\n")
	}
	input.pending = false
}

// cancelInput ends the cell's input.
func cancelInput() {
	input.Lock()
	defer input.Unlock()
	if input.write != nil {
		_ = input.write.Close()
		input.write = nil
	}
}
