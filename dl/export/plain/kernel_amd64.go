package plain

import "os"

// GRADBOOK_KERNELS is "go" or "avx2" for no more of the processor than that.
func init() {
	switch most := os.Getenv("GRADBOOK_KERNELS"); {
	case most == "go":
	case hasAVX512() && most != "avx2":
		tileRows, tileColumns, productTile, productRow = 8, 32, productTile512, productRow512
	case hasAVX2():
		tileRows, tileColumns, productTile, productRow = 4, 24, productTile256, productRow256
	}
}

//go:noescape
func productTile512(c *float32, ldc int, a, b *float32, offsets *int, k int, bias *float32, byRow bool, floor float32)

//go:noescape
func productRow512(c, a, b *float32, offsets *int, k int, bias *float32, byRow bool, floor float32)

//go:noescape
func productTile256(c *float32, ldc int, a, b *float32, offsets *int, k int, bias *float32, byRow bool, floor float32)

//go:noescape
func productRow256(c, a, b *float32, offsets *int, k int, bias *float32, byRow bool, floor float32)

func cpuid(leaf, sub uint32) (a, b, c, d uint32)

// xgetbv says which registers the system keeps.
func xgetbv() uint32

// hasAVX2 says whether there are AVX2 and FMA, and the system keeps their registers.
func hasAVX2() bool {
	const fma, osxsave, avx, avx2 = 1 << 12, 1 << 27, 1 << 28, 1 << 5
	top, _, _, _ := cpuid(0, 0)
	if top < 7 {
		return false
	}
	_, _, c, _ := cpuid(1, 0)
	_, b, _, _ := cpuid(7, 0)
	return c&(fma|osxsave|avx) == fma|osxsave|avx && b&avx2 != 0 && xgetbv()&0x6 == 0x6
}

func hasAVX512() bool {
	if !hasAVX2() {
		return false
	}
	_, b, _, _ := cpuid(7, 0)
	return b&(1<<16) != 0 && xgetbv()&0xe6 == 0xe6
}
