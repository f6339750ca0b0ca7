package config

import "testing"

type base struct{}

func (base) Compute() int  { return 1 }
func (base) OfLogits() int { return 2 }

type (
	same     struct{ base }
	other    struct{ base }
	both     struct{ base } //nolint:unused // what it gives both is overridden
	deep     struct{ other }
	pointer  struct{ *base }
	logits   interface{ OfLogits() int }
	anything struct{ logits }
	own      struct{ anything }
)

func (other) Compute() int  { return 3 }
func (both) Compute() int   { return 3 }
func (*both) OfLogits() int { return 4 }
func (own) Compute() int    { return 5 }

func TestAs(t *testing.T) {
	Tells[logits]("OfLogits", "Compute")
	for _, c := range []struct {
		v    any
		want bool
	}{
		{base{}, true},
		{same{}, true},
		{&same{}, true},
		{other{}, false},
		{&other{}, false},
		{both{}, true},
		{&both{}, true},
		{deep{}, false},
		{pointer{}, true},
		{own{}, false},
	} {
		if got := says(c.v, "OfLogits", "Compute"); got != c.want {
			t.Errorf("%T: expected %v, got %v", c.v, c.want, got)
		}
		_, is := c.v.(logits)
		if _, got := As[logits](c.v); got != (is && c.want) {
			t.Errorf("%T: expected %v as logits, got %v", c.v, is && c.want, got)
		}
	}
}
