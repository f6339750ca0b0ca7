package device

import (
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/gradbook/gradbook/dl/pjrt"
)

// xlaFlags lets XLA call oneDNN for convolutions, which takes a fifth off the step
// of a convolutional network, and use the full width of AVX-512 where the CPU has
// it, for some hundredths more.
var xlaFlags = []string{"--xla_cpu_experimental_onednn_custom_call=true", "--xla_cpu_prefer_vector_width=512"}

// tuneXLA sets what XLA reads from the environment when a plugin is opened, and
// returns a function that takes it back: programs that this one starts may have
// another XLA. What the user set goes before.
//
// Flags are for the plugins that they were tried with: XLA ends a program if it does not
// know a flag. And XLA takes as many threads as the machine has processors, also
// where a container may use few of them; Go knows better.
func tuneXLA(plugin string) (restore func()) {
	var more []string
	if pinned, err := pjrt.CPU.Path(); err == nil && plugin == pinned {
		more = xlaFlags
	} else if dir := pjrt.CUDAData(plugin); dir != "" {
		more = []string{"--xla_gpu_cuda_data_dir=" + dir}
	}
	var undo []func()
	if len(more) > 0 {
		flags := os.Getenv("XLA_FLAGS")
		for _, f := range more {
			if name, _, _ := strings.Cut(f, "="); !strings.Contains(flags, name) {
				flags = strings.TrimSpace(flags + " " + f)
			}
		}
		undo = append(undo, setEnv("XLA_FLAGS", flags))
	}
	if os.Getenv("NPROC") == "" && os.Getenv("PJRT_NPROC") == "" {
		undo = append(undo, setEnv("PJRT_NPROC", strconv.Itoa(runtime.GOMAXPROCS(0))))
	}
	return func() {
		for _, f := range undo {
			f()
		}
	}
}

// setEnv sets a variable and returns what takes it back.
func setEnv(name, value string) (undo func()) {
	before, wasSet := os.LookupEnv(name)
	_ = os.Setenv(name, value) // a name without = cannot fail
	return func() {
		if wasSet {
			_ = os.Setenv(name, before)
		} else {
			_ = os.Unsetenv(name)
		}
	}
}
