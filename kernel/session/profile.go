package session

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/google/pprof/profile"

	"github.com/gradbook/gradbook/kernel/session/wire"
	"github.com/gradbook/gradbook/viz"
)

// memoryRate is the bytes between two samples of what a profiled cell allocates.
const memoryRate = 16 << 10

// profiled runs a cell under Go's profiler, "cpu" or "memory", and shows what it finds.
func profiled(kind string, run func()) {
	var found *profile.Profile
	var err error
	if kind == "memory" {
		found, err = allocated(run)
	} else {
		found, err = sampled(run)
	}
	if err == nil {
		err = showProfile(kind, found)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "no profile: %v\n", err)
	}
}

func sampled(run func()) (*profile.Profile, error) {
	var b bytes.Buffer
	err := pprof.StartCPUProfile(&b)
	run()
	if err != nil { // another is being made
		return nil, err
	}
	pprof.StopCPUProfile()
	return profile.Parse(&b)
}

func allocated(run func()) (*profile.Profile, error) {
	rate := runtime.MemProfileRate
	runtime.MemProfileRate = memoryRate
	defer func() { runtime.MemProfileRate = rate }()
	before, err := allocations()
	run()
	after, err2 := allocations()
	if err = errors.Join(err, err2); err != nil {
		return nil, err
	}
	before.Scale(-1)
	return profile.Merge([]*profile.Profile{after, before})
}

// allocations is what has been allocated so far, as of the last collection.
func allocations() (*profile.Profile, error) {
	runtime.GC()
	runtime.GC()
	var b bytes.Buffer
	if err := pprof.Lookup("allocs").WriteTo(&b, 0); err != nil {
		return nil, err
	}
	return profile.Parse(&b)
}

// showProfile shows a profile's stacks, from the cell's own functions on.
func showProfile(kind string, p *profile.Profile) error {
	unit, column := func(v float64) string { return time.Duration(v).Round(time.Millisecond).String() }, "cpu"
	if kind == "memory" {
		unit, column = bytesText, "alloc_space"
	}
	at := -1
	for i, t := range p.SampleType {
		if t.Type == column {
			at = i
		}
	}
	if at < 0 {
		return fmt.Errorf("the profile has no %s", column)
	}
	root := &flame{name: "the cell"}
	for _, s := range p.Sample {
		if v := s.Value[at]; v > 0 {
			root.add(stackOf(s), float64(v))
		}
	}
	if root.value == 0 {
		return errors.New("the cell ended too soon for a sample (there are 100 a second); %timeit measures what is short")
	}
	chart, err := viz.FlameChart(root.flame(), unit)
	if err != nil {
		return err
	}
	emitInPlace(wire.Event{Event: "display", Data: bundle(chart), Metadata: map[string]any{}})
	return nil
}

// stackOf are a sample's functions, outermost first: from the cell's own on, or, of what
// the runtime does by itself, all.
func stackOf(s *profile.Sample) []string {
	var names []string
	own := -1
	for i := len(s.Location) - 1; i >= 0; i-- {
		lines := s.Location[i].Line
		for j := len(lines) - 1; j >= 0; j-- {
			fn := lines[j].Function
			if fn == nil {
				continue
			}
			name := fn.Name
			if file := cellFile(fn.Filename); file != "" {
				if own < 0 {
					own = len(names)
				}
				if name = functionName(fn.Name); name == "" {
					name = file
				}
			}
			names = append(names, shortFunction(name))
		}
	}
	if own >= 0 {
		return names[own:]
	}
	return append([]string{"beside the cell"}, names...)
}

// shortFunction is a function's name without the folders of its package.
func shortFunction(name string) string {
	name = plain(name)
	if i := strings.LastIndexByte(strings.SplitN(name, "[", 2)[0], '/'); i >= 0 {
		return name[i+1:]
	}
	return name
}

// flame is a part of a profile while it is added up.
type flame struct {
	name  string
	value float64
	parts map[string]*flame
	order []*flame
}

func (f *flame) add(stack []string, v float64) {
	f.value += v
	if len(stack) == 0 {
		return
	}
	next := f.parts[stack[0]]
	if next == nil {
		if f.parts == nil {
			f.parts = map[string]*flame{}
		}
		next = &flame{name: stack[0]}
		f.parts[stack[0]] = next
		f.order = append(f.order, next)
	}
	next.add(stack[1:], v)
}

func (f *flame) flame() viz.Flame {
	out := viz.Flame{Name: f.name, Value: f.value}
	for _, part := range f.order {
		out.Children = append(out.Children, part.flame())
	}
	return out
}

func bytesText(n float64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", n/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", n/(1<<20))
	}
	return fmt.Sprintf("%.1f kB", n/(1<<10))
}
