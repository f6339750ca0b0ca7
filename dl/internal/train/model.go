package train

import (
	"github.com/gomlx/compute"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/network"
)

// Model is a network, and how it learns.
type Model struct {
	// Schema is what the columns of the tables are that the model is for; nil if it is not known.
	Schema *data.Schema
	*network.Network

	compiled *compiled
	active   *training // the Fit under way
	balance  balance
	programs map[programKey]*engine.Program
	noise    *noise // of dropout and its like
	chance   *noise // of what is random outside training too
	fitting  bool
	told     map[string]bool // layers of which it was said that they drop a mask
	position position        // in training, for whoever goes on with it
	spent    Spent           // of the privacy of its data
}

// noise is the state of the generator on the device.
type noise struct {
	host   []uint64
	on     *device.Device
	buffer compute.Buffer
}

// Of returns the model that a *dl.Model stands for. Package dl sets it.
var Of func(model any) *Model

// New makes a model of a network, which need not be built.
func New(n *network.Network) *Model {
	return &Model{Network: n, programs: make(map[programKey]*engine.Program)}
}
