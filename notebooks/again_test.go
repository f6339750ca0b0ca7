package notebooks_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/install/installtest"
	"github.com/gradbook/gradbook/notebooks/internal/cells"
	"github.com/gradbook/gradbook/notebooks/internal/ipynb"
)

// TestGoingBack: a reader who goes back from step 4 to the picture of step 3, whose
// weights are others by now, is told where to begin, and sees no error.
func TestGoingBack(t *testing.T) {
	installtest.Layout(t)
	n := read(t, "02-backprop.ipynb")
	code := n.Code()
	at := slices.IndexFunc(code, func(c *ipynb.Cell) bool { return c.ID == "update" })
	list := append(slices.Clone(code[:at+1]), n.Cell("drawn-code"), n.Cell("tiny-test"))
	printed, err := cells.Run(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(n.Cell("tiny-code").Source), "\n")
	if got := printed["tiny-test"]; !strings.Contains(got, "Cells have run again") || !strings.Contains(got, first) {
		t.Errorf("expected to be sent back to %q, got %q", first, got)
	}
}
