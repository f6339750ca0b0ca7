package dl

import (
	"github.com/gradbook/gradbook/dl/internal/device"
)

// UseDevice chooses where to compute from now on: "cuda", "cuda:1" for the
// second GPU, "cuda:0,1" or "cuda:all" for several, which then share each batch,
// "cpu", or "go" for pure Go without XLA. On several devices each has the weights and
// the data, and losses are those of one device, but for rounding; batches that the
// number of devices does not divide are computed by each as a whole. With "", as without a call,
// the environment variable GRADBOOK_DEVICE says, or else the best is used: CUDA
// if there is a GPU, then XLA's CPU, then pure Go.
//
// Models follow: their weights are moved when they are next used.
func UseDevice(name string) error { return edge(device.Use(name)) }

// DeviceInfo describes the device in use.
type DeviceInfo struct {
	// Kind is "cuda", "cpu" or "go".
	Kind string `json:"kind"`
	// Description is the backend's own, with versions.
	Description string `json:"description"`
	// Plugin is the path of XLA's plugin; "" in pure Go.
	Plugin string `json:"plugin,omitempty"`
	// Note says why a better device is not used; "" if there is none.
	Note string `json:"note,omitempty"`
}

// Device returns the device in use. It opens it, which for XLA takes some tenths
// of a second the first time.
func Device() (DeviceInfo, error) {
	d, err := device.Current()
	if err != nil {
		return DeviceInfo{}, edge(err)
	}
	return DeviceInfo{Kind: d.Kind, Description: d.Description(), Plugin: d.Plugin, Note: d.Note}, nil
}
