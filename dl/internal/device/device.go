// Package device opens the one device that a program computes on.
package device

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // registers "go"

	"github.com/gradbook/gradbook/dl/internal/plugin"
	"github.com/gradbook/gradbook/dl/pjrt"
)

// Env names the environment variable that chooses the device.
const Env = "GRADBOOK_DEVICE"

// GPUMemoryEnv names the environment variable with the share of a GPU's memory, as
// 0.4, that a program takes at most.
const GPUMemoryEnv = "GRADBOOK_GPU_MEMORY"

// Device is a backend, and how it came to be chosen.
type Device struct {
	compute.Backend
	// Kind is "cuda", "cpu" or "go".
	Kind string
	// Plugin is the path of XLA's plugin; "" for "go".
	Plugin string
	// Loaded is that plugin; nil for "go".
	Loaded *plugin.Plugin
	// Note says why a better device was passed over; "" if none was.
	Note string
	// Nums are the numbers of the devices within the backend, which share the work.
	Nums []compute.DeviceNum
}

// Name is the device as GRADBOOK_DEVICE names it: "cpu", "cuda:1".
func (d *Device) Name() string {
	if len(d.Nums) == 0 || d.Kind != "cuda" && len(d.Nums) == 1 {
		return d.Kind
	}
	var nums []string
	for _, n := range d.Nums {
		nums = append(nums, strconv.Itoa(int(n)))
	}
	return d.Kind + ":" + strings.Join(nums, ",")
}

// Description says what computes, and by which version of PJRT's interface.
func (d *Device) Description() string {
	if d.Loaded == nil {
		return d.Backend.Description()
	}
	var names []string
	for _, n := range d.Nums {
		names = append(names, d.DeviceDescription(n))
	}
	text := "XLA on " + strings.Join(names, ", ")
	if d.Loaded.Minor > 0 {
		text += fmt.Sprintf(", PJRT %d.%d", d.Loaded.Major, d.Loaded.Minor)
	}
	return text
}

// Deterministic are the options of XLA with which a program computes the same each time:
// without, sums on a GPU may be in any order, and which kernel is the fastest is tried out.
// Products and convolutions are then NVIDIA's libraries', which choose by rule. It is nil
// where programs compute the same anyway, or where the plugin is of a version for which the
// options are not known.
func (d *Device) Deterministic() []plugin.Option {
	if d.Kind != "cuda" {
		return nil
	}
	if c, _ := pjrt.CUDAOf(d.Plugin); c == nil {
		return nil
	}
	return []plugin.Option{
		{Name: "xla_gpu_exclude_nondeterministic_ops", Value: true},
		{Name: "xla_gpu_enable_scatter_determinism_expander", Value: true},
		{Name: "xla_gpu_autotune_level", Value: 0},
		{Name: "xla_gpu_enable_triton_gemm", Value: false},
	}
}

// Exact are the options of XLA with which numbers are rounded to 16 bits wherever a program
// says so: without, XLA leaves out a conversion to them and back. It is nil where nothing
// is left out, or where the options are not known.
func (d *Device) Exact() []plugin.Option {
	switch d.Kind {
	case "go":
		return nil
	case "cuda":
		if c, _ := pjrt.CUDAOf(d.Plugin); c == nil {
			return nil
		}
	}
	return []plugin.Option{{Name: "xla_allow_excess_precision", Value: false}}
}

var (
	mu      sync.Mutex
	wanted  = ""
	current *Device
)

// Use chooses the device for what follows: "cpu", "cuda", "cuda:1", "go", or ""
// for the best there is. It opens the device at once.
func Use(spec string) error {
	mu.Lock()
	defer mu.Unlock()
	if current != nil && spec == wanted {
		return nil
	}
	d, err := open(orEnv(spec))
	if err != nil {
		return err
	}
	wanted, current = spec, d
	return nil
}

// orEnv is what the environment asks for, if the program does not.
func orEnv(spec string) string {
	if spec == "" {
		return os.Getenv(Env)
	}
	return spec
}

// Current returns the device in use, and opens it the first time.
func Current() (*Device, error) {
	mu.Lock()
	defer mu.Unlock()
	if current != nil {
		return current, nil
	}
	d, err := open(orEnv(wanted))
	if err != nil {
		return nil, err
	}
	if d.Note != "" {
		fmt.Fprintln(os.Stderr, "dl:", d.Note)
	}
	current = d
	return d, nil
}

// Devices are kept for good: XLA loads a plugin once a process, and values that a
// program holds may be on any of them.
var (
	opened  = map[string]*Device{} // by what was asked for
	clients = map[string]*client{} // by plugin
)

func open(spec string) (*Device, error) {
	if d, ok := opened[spec]; ok {
		return d, nil
	}
	d, err := openNew(spec)
	if err != nil {
		return nil, err
	}
	opened[spec] = d
	return d, nil
}

func openNew(spec string) (*Device, error) {
	kind, num, hasNum := strings.Cut(spec, ":")
	nums := []int{0}
	if hasNum {
		var err error
		if nums, err = numbers(num); err != nil {
			return nil, fmt.Errorf("device: expected numbers behind %q, as in %s:0,1, or all, got %q", kind+":", kind, num)
		}
	}
	switch kind {
	case "cpu", "cuda":
		return openXLA(kind, nums)
	case "go":
		return openGo("")
	case "":
		return best()
	}
	return nil, fmt.Errorf("device: expected cpu, cuda, cuda:1, cuda:0,1, cuda:all or go in %s or UseDevice, got %q", Env, spec)
}

// numbers reads "0", "0,1" or "all", which is nil.
func numbers(text string) (all []int, err error) {
	if text == "all" {
		return nil, nil
	}
	for s := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 || strconv.Itoa(n) != s || slices.Contains(all, n) {
			return nil, fmt.Errorf("expected different numbers, got %q", text)
		}
		all = append(all, n)
	}
	return all, nil
}

// best opens CUDA if a GPU is there, or a plugin for it in the user's own folders, else
// the CPU, else pure Go.
func best() (*Device, error) {
	var note string
	if pjrt.WantsCUDA() {
		d, err := openXLA("cuda", []int{0})
		if err == nil {
			return d, nil
		}
		if _, choice := pjrt.ChooseCUDA(); choice != nil {
			err = choice // too old a driver is why there is no plugin
		}
		note = fmt.Sprintf("the GPU cannot be used (%v); computing on the CPU. `gradbook doctor` says more", strings.TrimPrefix(OneLine(err), "device: "))
	}
	d, err := openXLA("cpu", []int{0})
	if err == nil {
		d.Note = note
		return d, nil
	}
	slow := fmt.Sprintf("XLA cannot be used (%v); computing in pure Go, which is about a hundred times slower", OneLine(err))
	if note != "" {
		slow = note + "; but " + slow
	}
	return openGo(slow)
}

// openXLA opens devices of a kind, by their numbers; nil means all.
func openXLA(kind string, nums []int) (*Device, error) {
	path, err := pjrt.Find(kind)
	if err != nil {
		return nil, err
	}
	tuneAllocator()
	c := clients[path]
	if c == nil {
		if c, err = newClient(kind, path); err != nil {
			return nil, fmt.Errorf("device: XLA's plugin %s cannot be used: %w", path, err)
		}
		clients[path] = c
	}
	b := c.backend
	d := &Device{Backend: b, Kind: kind, Plugin: path, Loaded: c.plugin}
	for n := range b.NumDevices() {
		if nums == nil {
			d.Nums = append(d.Nums, compute.DeviceNum(n))
		}
	}
	for _, n := range nums {
		if n >= b.NumDevices() {
			return nil, fmt.Errorf("device: expected %s:0 to %s:%d, got %s:%d", kind, kind, b.NumDevices()-1, kind, n)
		}
		d.Nums = append(d.Nums, compute.DeviceNum(n))
	}
	return d, nil
}

// client is a plugin whose devices are open.
type client struct {
	backend compute.Backend
	plugin  *plugin.Plugin
}

// newClient loads a plugin and opens its devices.
func newClient(kind, path string) (*client, error) {
	if hasXLA {
		if err := verify(kind, path); err != nil {
			return nil, err
		}
	}
	defer tuneXLA(kind, path)()
	b, p, err := newXLA(kind, path)
	if err != nil {
		return nil, err
	}
	return &client{b, p}, nil
}

func openGo(note string) (*Device, error) {
	b, err := compute.NewWithConfig("go")
	if err != nil {
		return nil, fmt.Errorf("device: %w", err)
	}
	return &Device{Backend: b, Kind: "go", Note: note, Nums: []compute.DeviceNum{0}}, nil
}

// OneLine leaves out the stack that GoMLX's errors print below the message.
func OneLine(err error) string {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if msg := e.Error(); !strings.Contains(msg, "\n") {
			return msg
		}
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// pjrtError is what XLA itself says, behind what GoMLX says of where it was said.
var pjrtError = regexp.MustCompile(`^.*PJRT error \(code=\d+\): `)

// saidByXLA leaves the rest out, if there is such an error.
func saidByXLA(message string) string { return pjrtError.ReplaceAllString(message, "") }
