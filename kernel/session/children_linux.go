package session

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// ticks are the units in which Linux tells when a process started, in a second.
const ticks = 100

// uptime is how long the machine has been running, in seconds.
func uptime() (seconds float64) {
	content, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0
	}
	_, _ = fmt.Sscan(string(content), &seconds)
	return seconds
}

// interruptChildren sends an interrupt to the processes that this one, or one of them,
// has started since a time.
func interruptChildren(since float64) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return
	}
	parent, started := map[int]int{}, map[int]float64{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		_, rest, _ := strings.Cut(string(content), ") ")
		f := strings.Fields(rest)
		if len(f) < 20 {
			continue
		}
		parent[pid], _ = strconv.Atoi(f[1])
		begin, _ := strconv.ParseFloat(f[19], 64)
		started[pid] = begin / ticks
	}
	own := os.Getpid()
	for pid := range parent {
		for p := pid; p > 1; p = parent[p] {
			if parent[p] == own && started[p] >= since-1.0/ticks {
				_ = syscall.Kill(pid, syscall.SIGINT) // it may have ended
				break
			}
		}
	}
}
