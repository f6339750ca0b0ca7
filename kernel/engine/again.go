package engine

import (
	"slices"
	"strings"

	"github.com/gradbook/gradbook/kernel/cell"
)

// ran is a run of a cell.
type ran struct {
	text string
	cell.Names
}

// maxHistory bounds how many runs are looked at.
const maxHistory = 2000

// remember notes that a cell runs, and returns the first line of the cell from which
// on a reader who has gone back should run again, so that what the cell looks at is as
// it was when the notebook ran from the top: "" if everything that it depends on has
// run once and in order.
//
// A cell is known by its text: one that has been edited is another.
func (e *Engine) remember(c Cell) string {
	names, err := c.Names()
	if err != nil {
		return ""
	}
	now := ran{c.Cell.Text, names}
	e.mu.Lock()
	defer e.mu.Unlock()
	defer func() {
		e.history = append(e.history, now)
		if len(e.history) > maxHistory {
			e.history = slices.Clone(e.history[maxHistory/2:])
		}
	}()
	return again(e.history, now)
}

// again is as remember says.
func again(history []ran, now ran) string {
	on := depends(history, now)
	seen := map[string]bool{now.text: true}
	first := -1
	twice := slices.ContainsFunc(history, func(r ran) bool { return r.text == now.text })
	inOrder := true
	for _, i := range on {
		text := history[i].text
		if seen[text] {
			inOrder = false
		}
		seen[text] = true
		if first < 0 {
			first = i
		}
	}
	if first < 0 || inOrder && !twice {
		return ""
	}
	// What ran in between may have changed what now stands for an earlier cell.
	start := strings.TrimSpace(history[first].text)
	line, _, _ := strings.Cut(start, "\n")
	if len(line) > 60 {
		line = strings.ToValidUTF8(line[:60], "") + "…"
	}
	return line
}

// depends are the places in history of the runs on which a cell depends: those that
// have declared or changed what it uses, and those on which they depend in turn.
func depends(history []ran, now ran) (on []int) {
	wanted, declared := map[string]bool{}, map[string]bool{} // packages are not
	for _, name := range now.Uses {
		wanted[name] = true
	}
	for _, r := range history {
		for _, name := range r.Declares {
			declared[name] = true
		}
	}
	makes := func(name string) bool { return wanted[name] && declared[name] }
	// A function that is used may use what was changed after its declaration, so one way
	// back is not enough.
	found := make([]bool, len(history))
	for more := true; more; {
		more = false
		for i, r := range slices.Backward(history) {
			// Which methods change what they are called of, the kernel does not know.
			calls := func(call string) bool { name, _, _ := strings.Cut(call, "."); return makes(name) }
			if found[i] || !slices.ContainsFunc(r.Declares, makes) && !slices.ContainsFunc(r.Changes, makes) && !slices.ContainsFunc(r.Calls, calls) {
				continue
			}
			found[i], more = true, true
			for _, name := range r.Uses {
				wanted[name] = true
			}
		}
	}
	for i := range found {
		if found[i] {
			on = append(on, i)
		}
	}
	return on
}
