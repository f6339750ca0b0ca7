package engine

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/gradbook/gradbook/dl/internal/device"
)

// OutOfMemoryError says that a device had too little memory, and for what.
type OutOfMemoryError struct {
	// Device is the device's name: "cuda:0", "cpu".
	Device string
	// Wanted is how many bytes were asked for at once; 0 if the device did not say.
	Wanted uint64
	// For is what they were for, for example "a batch of 512 examples".
	For string
	// Advice says what to lower.
	Advice string
	// Err is the device's own error.
	Err error
}

// Error says how much was wanted, for what, and what to do.
func (e *OutOfMemoryError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "out of memory on %s", e.Device)
	if e.Wanted > 0 {
		fmt.Fprintf(&b, ": %s more were wanted", size(e.Wanted))
	}
	if e.For != "" {
		fmt.Fprintf(&b, " for %s", e.For)
	}
	if e.Advice != "" {
		b.WriteString("; " + e.Advice)
	}
	return b.String()
}

// Unwrap returns the device's own error.
func (e *OutOfMemoryError) Unwrap() error { return e.Err }

// OutOfMemory adds to an error of this kind what the memory was for, if that is not
// known yet, and what to do. Other errors are returned as they are.
func OutOfMemory(err error, what, advice string) error {
	var e *OutOfMemoryError
	if errors.As(err, &e) && e.For == "" {
		e.For, e.Advice = what, advice
	}
	return err
}

// exhausted recognises what XLA says when memory is short: its error code 8, which is
// RESOURCE_EXHAUSTED, and its sentences about it.
//
// Source: https://github.com/abseil/abseil-cpp/blob/master/absl/status/status.h
var (
	exhausted = regexp.MustCompile(`\(code=8\)|RESOURCE_EXHAUSTED|[Oo]ut of memory`)
	amount    = regexp.MustCompile(`allocat\w*:?\s+(?:buffer of size |request for )?([0-9.]+)\s*([KMGT]i?B|[KMGT]i?|B|bytes)?`)
)

// shortage returns an error as one of memory, if it is one.
func shortage(d *device.Device, err error) error {
	if err == nil {
		return nil
	}
	var known *OutOfMemoryError
	text := err.Error()
	if errors.As(err, &known) || !exhausted.MatchString(text) {
		return err
	}
	e := &OutOfMemoryError{Device: d.Name(), Err: err}
	if m := amount.FindStringSubmatch(text); m != nil {
		if n, parseErr := strconv.ParseFloat(m[1], 64); parseErr == nil {
			e.Wanted = uint64(n * float64(uint64(1)<<shift(m[2])))
		}
	}
	return e
}

func shift(unit string) int {
	if unit == "" {
		return 0
	}
	return 10 * (strings.IndexByte("KMGT", unit[0]) + 1) // none of them is -1
}

// size writes bytes as people do.
func size(n uint64) string {
	const units = "KMGT"
	if n < 1<<10 {
		return fmt.Sprintf("%d bytes", n)
	}
	f, unit := float64(n), -1
	for f >= 1024 && unit < len(units)-1 {
		f, unit = f/1024, unit+1
	}
	return fmt.Sprintf("%.1f %ciB", f, units[unit])
}
