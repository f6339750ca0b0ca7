package plain

import "sync"

// consecutive are the offsets of rows of so many columns behind one another.
func consecutive(rows, columns int) *int {
	offsetsMu.Lock()
	defer offsetsMu.Unlock()
	for len(offsets) < rows+1 {
		n := max(1024, 2*len(offsets), rows+1)
		offsets = make([]int, n)
		for i := range offsets {
			offsets[i] = i * columns
		}
	}
	return &offsets[0]
}

// offsets are for the columns of a tile, of which there is one number.
var (
	offsetsMu sync.Mutex
	offsets   []int
)
