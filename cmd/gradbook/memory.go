package main

import (
	"os"
	"strconv"
	"strings"
)

// limitFiles say what a container may use, in the two versions of Linux's control groups.
var limitFiles = []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}

// memoryLimit is what a session may hold, in bytes: GRADBOOK_MEMORY_LIMIT, as
// bytes or with the unit MB or GB, or nine tenths of what there is, so that the
// system need not choose what to end.
func memoryLimit() int64 {
	if n := parseBytes(os.Getenv("GRADBOOK_MEMORY_LIMIT")); n > 0 {
		return n
	}
	total := int64(0)
	if content, err := os.ReadFile("/proc/meminfo"); err == nil {
		if f := strings.Fields(string(content)); len(f) > 1 {
			kb, _ := strconv.ParseInt(f[1], 10, 64)
			total = kb << 10
		}
	}
	for _, path := range limitFiles {
		content, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64); err == nil && (total == 0 || n < total) {
			total = n
		}
	}
	return total / 10 * 9
}

func parseBytes(s string) int64 {
	s = strings.ToUpper(strings.TrimSpace(s))
	for _, unit := range []struct {
		suffix string
		shift  int
	}{{"GIB", 30}, {"GB", 30}, {"MIB", 20}, {"MB", 20}} {
		if rest, ok := strings.CutSuffix(s, unit.suffix); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				return 0
			}
			return int64(n * float64(int64(1)<<unit.shift))
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
