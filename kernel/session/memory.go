package session

// mapping is a region of the process's memory.
type mapping struct {
	start, end uintptr
	writable   bool
	kind       regionKind
}

// regionKind is what is in a region.
type regionKind int

const (
	program   regionKind = 1 << iota // data of the session's own program
	heap                             // Go's heap, with its stacks
	libraries                        // data and constants of cells
)
