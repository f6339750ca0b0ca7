package main

import (
	"os"
	"strconv"
	"strings"

	"github.com/gradbook/gradbook/dl/memory"
)

// memoryLimit is what a session may hold, in bytes: GRADBOOK_MEMORY_LIMIT, as
// bytes or with the unit MB or GB, or nine tenths of what the container or the machine
// has, so that the system need not choose what to end.
func memoryLimit() int64 {
	if n := parseBytes(os.Getenv("GRADBOOK_MEMORY_LIMIT")); n > 0 {
		return n
	}
	return int64(memory.Limit() / 10 * 9)
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
