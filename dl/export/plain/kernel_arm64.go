package plain

import "os"

// All processors of this architecture have NEON. GRADBOOK_KERNELS=go does without.
func init() {
	if os.Getenv("GRADBOOK_KERNELS") != "go" {
		tileRows, tileColumns, productTile, productRow = 4, 16, productTileNEON, productRowNEON
	}
}

//go:noescape
func productTileNEON(c *float32, ldc int, a, b *float32, offsets *int, k int, bias *float32, byRow bool, floor float32)

//go:noescape
func productRowNEON(c, a, b *float32, offsets *int, k int, bias *float32, byRow bool, floor float32)
