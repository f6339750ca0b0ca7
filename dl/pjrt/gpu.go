package pjrt

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Where an NVIDIA driver shows itself: on Linux, and in Windows' subsystem for it.
var (
	procDriver = "/proc/driver/nvidia"
	wslLibrary = "/usr/lib/wsl/lib/libcuda.so.1"
)

// HasGPU says whether an NVIDIA driver is loaded.
func HasGPU() bool {
	for _, path := range []string{filepath.Join(procDriver, "version"), "/dev/nvidiactl", wslLibrary} {
		if _, err := os.Stat(path); err == nil {
			return true
		}
	}
	return false
}

// Driver is the version of the NVIDIA driver, as "580.65.06"; "" if there is none, or
// if it does not say.
func Driver() string {
	if content, err := os.ReadFile(filepath.Join(procDriver, "version")); err == nil {
		if m := driverVersion.FindSubmatch(content); m != nil {
			return string(m[1])
		}
	}
	if !HasGPU() {
		return ""
	}
	for _, g := range GPUs() {
		return g.Driver
	}
	return ""
}

var driverVersion = regexp.MustCompile(`Kernel Module(?: for \S+)?\s+(\d+(?:\.\d+)+)`)

// GPU is one that the driver knows.
type GPU struct {
	// Name is the model's, as "NVIDIA H100 80GB HBM3".
	Name string
	// Driver is the driver's version.
	Driver string
	// Capability is the compute capability, as 9.0 for the H100; 0 if that is not known.
	Capability float64
	// Memory and Free are in MiB; 0 if that is not known.
	Memory, Free int
}

// GPUs asks nvidia-smi, which comes with the driver; where it is missing, the
// driver's files tell the names only.
func GPUs() []GPU { return gpus() }

var gpus = sync.OnceValue(func() []GPU {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "nvidia-smi", "--query-gpu=name,driver_version,compute_cap,memory.total,memory.free", "--format=csv,noheader,nounits").Output()
	if err == nil {
		return parseSMI(string(out))
	}
	files, _ := filepath.Glob(filepath.Join(procDriver, "gpus", "*", "information"))
	var all []GPU
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(content)) {
			if name, ok := strings.CutPrefix(line, "Model:"); ok {
				all = append(all, GPU{Name: strings.TrimSpace(name)})
			}
		}
	}
	return all
})

// parseSMI reads nvidia-smi's lines of values divided by commas.
func parseSMI(text string) (all []GPU) {
	for line := range strings.Lines(text) {
		f := strings.Split(line, ",")
		if len(f) != 5 {
			continue
		}
		for i := range f {
			f[i] = strings.TrimSpace(f[i])
		}
		g := GPU{Name: f[0], Driver: f[1]}
		g.Capability, _ = strconv.ParseFloat(f[2], 64) // "[N/A]" is 0
		g.Memory, _ = strconv.Atoi(f[3])
		g.Free, _ = strconv.Atoi(f[4])
		all = append(all, g)
	}
	return all
}
