//go:build !unix

package rusage

// Peak is not known here.
func Peak() float64 { return 0 }
