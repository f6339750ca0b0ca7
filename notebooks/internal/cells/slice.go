// Package cells knows which cells of a notebook depend on which, and runs some of them.
package cells

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/kernel/cell"
	"github.com/gradbook/gradbook/kernel/dialect"
	"github.com/gradbook/gradbook/notebooks/internal/ipynb"
)

// changing are methods that change what they are called of. Others do not, or all
// that uses a dataset would depend on all else that does.
var changing = []string{"Fit", "Compile", "SetWeights", "SetTrainable", "Adapt", "Set", "OnChange", "Forward", "Backward", "Learn"}

// Slice returns those of a notebook's code cells without which some of them cannot
// run, and these, in the notebook's order.
func Slice(code []*ipynb.Cell, ids ...string) ([]*ipynb.Cell, error) {
	names, declared := make([]cell.Names, len(code)), map[string]bool{} // packages are not
	for i, c := range code {
		var err error
		if names[i], err = dialect.Parse(string(c.Source)).Cell(0).Names(); err != nil {
			return nil, fmt.Errorf("cell %s: %w", c.ID, err)
		}
		for _, name := range names[i].Declares {
			declared[name] = true
		}
	}
	last := -1
	for _, id := range ids {
		at := slices.IndexFunc(code, func(c *ipynb.Cell) bool { return c.ID == id })
		if at < 0 {
			return nil, fmt.Errorf("expected a code cell %q", id)
		}
		last = max(last, at)
	}
	// A function that is used may use what was changed after its declaration, so one way
	// back is not enough.
	wanted, in := map[string]bool{}, make([]bool, last+1)
	for more := true; more; {
		more = false
		for i, c := range slices.Backward(code[:last+1]) {
			if in[i] || !slices.Contains(ids, c.ID) && !c.Tagged("setup") && !makes(names[i], wanted) {
				continue
			}
			in[i], more = true, true
			for _, name := range names[i].Uses {
				wanted[name] = wanted[name] || declared[name]
			}
		}
	}
	var slice []*ipynb.Cell
	for i := range in {
		if in[i] {
			slice = append(slice, code[i])
		}
	}
	return slice, nil
}

// makes says whether a cell makes something that is wanted what it is.
func makes(n cell.Names, wanted map[string]bool) bool {
	is := func(name string) bool { return wanted[name] }
	return slices.ContainsFunc(n.Declares, is) || slices.ContainsFunc(n.Changes, is) ||
		slices.ContainsFunc(n.Calls, func(call string) bool {
			name, method, _ := strings.Cut(call, ".")
			return wanted[name] && slices.Contains(changing, method)
		})
}
