package native

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"golang.org/x/sys/cpu"

	"github.com/gradbook/gradbook/dl/internal/plugin"
)

// Env names the environment variable that chooses the kernels: "off", or a set of instructions;
// "" is the best that the processor has.
const Env = "GRADBOOK_NATIVE"

// lanes are how many floats a vector of each set of instructions has.
var lanes = map[string]int{"avx512": 16, "avx2": 8, "neon": 4}

// sets are the sets of instructions that this processor has kernels for, the best first.
func sets() (all []string) {
	switch runtime.GOARCH {
	case "amd64":
		x := cpu.X86
		if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasFMA {
			all = append(all, "avx512")
		}
		if x.HasAVX2 && x.HasFMA {
			all = append(all, "avx2")
		}
	case "arm64":
		all = append(all, "neon")
	}
	return all
}

// hasDots says whether this processor has instructions for products of bytes in the vectors of a set.
func hasDots(set string) bool {
	switch set {
	case "avx512":
		return cpu.X86.HasAVX512VNNI
	case "avx2":
		return cpu.X86.HasAVXVNNI
	}
	return cpu.ARM64.HasASIMDDP
}

// Set is the set of instructions of the kernels; "" is for none.
func Set() (string, error) {
	has, want := sets(), os.Getenv(Env)
	switch {
	case want == "off" || want == "" && len(has) == 0:
		return "", nil
	case want == "":
		return has[0], nil
	case !slices.Contains(has, want):
		return "", fmt.Errorf("expected off or a set of instructions that this processor has kernels for, %v, in %s, got %q", has, Env, want)
	}
	return want, nil
}

// processors are as many as this process may use, and as XLA is told to by PJRT_NPROC.
func processors() int {
	n := runtime.NumCPU()
	if m, err := strconv.Atoi(os.Getenv("PJRT_NPROC")); err == nil && m > 0 {
		n = min(n, m)
	}
	return n
}

var enabled = struct {
	sync.Mutex
	lanes map[compute.Backend]int
}{lanes: make(map[compute.Backend]int)}

// Enable makes the kernels known to a plugin for the CPU, and graphs for its backend call them. A
// plugin that takes none leaves everything as it is; the error is of Env.
func Enable(b compute.Backend, p *plugin.Plugin) error {
	set, err := Set()
	if err != nil || set == "" {
		return err
	}
	if register(p, set) != nil {
		return nil
	}
	enabled.Lock()
	defer enabled.Unlock()
	enabled.lanes[b] = lanes[set]
	return nil
}

// For is how many floats the vectors of the kernels have that a graph can call, 0 if it can call
// none. Kernels do not divide their work among devices.
func For(g *graph.Graph) int {
	if g.NumDevices() > 1 {
		return 0
	}
	enabled.Lock()
	defer enabled.Unlock()
	return enabled.lanes[g.Backend()]
}

type calls struct{}

// Call adds a call of a kernel to a graph, with settings that are whole numbers. It has no
// gradient.
func Call(name string, settings []int, in []*graph.Node, out ...shapes.Shape) []*graph.Node {
	g := in[0].Graph()
	n, _ := g.State(calls{}).(int64)
	g.AttachState(calls{}, n+1)
	// What stands for it has its inputs and outputs, and is never run.
	f := graph.NewFunction(g, plugin.Target(name, settings, n), func(g *graph.Graph) (outputs []*graph.Node) {
		for i, x := range in {
			graph.Parameter(g, fmt.Sprintf("x%d", i), x.Shape())
		}
		for _, s := range out {
			outputs = append(outputs, graph.BroadcastToDims(graph.Const(g, float32(0)), s.Dimensions...))
		}
		return outputs
	})
	return f.Call(in...)
}
