//go:build !(cgo && (linux || darwin))

package plugin

// Plugin is one that go-xla loads.
type Plugin struct {
	// Name is the plugin's path.
	Name string
	// Major and Minor are not known here.
	Major, Minor int
}

// Open leaves it to go-xla.
func Open(path, _ string) (*Plugin, error) { return &Plugin{Name: path}, nil }

// Pending is nothing: programs are waited for.
type Pending struct{}

// Ahead calls f.
func (*Plugin) Ahead(f func() error) (*Pending, error) { return &Pending{}, f() }

// Wait returns at once.
func (*Pending) Wait() error { return nil }

// Done is true.
func (*Pending) Done() bool { return true }

// With calls f; the options are not known here.
func With(_ []Option, f func() error) error { return f() }

// Keep does nothing: go-xla's own table has no place for it.
func (*Plugin) Keep(*Store) {}

// KeepBlocks does nothing: how the plugin takes memory is not known here.
func (*Plugin) KeepBlocks() {}

// TidyBlocks does nothing.
func TidyBlocks(float64) {}

// Blocks is nothing.
func Blocks() (used, kept int) { return 0, 0 }
