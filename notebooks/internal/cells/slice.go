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
	wanted := map[string]bool{}
	found := 0
	var slice []*ipynb.Cell
	for i, c := range slices.Backward(code) {
		n := names[i]
		target := slices.Contains(ids, c.ID)
		if target {
			found++
		}
		if !target && !c.Tagged("setup") && !makes(n, wanted) {
			continue
		}
		slice = append(slice, c)
		for _, name := range n.Uses {
			wanted[name] = declared[name]
		}
	}
	if found != len(ids) {
		return nil, fmt.Errorf("expected the cells %v, found %d of them", ids, found)
	}
	slices.Reverse(slice)
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
