package plain

import "math"

// A tile is rows × columns of a product. The kernel of the processor that runs computes
// one at a time, from rows·k numbers of a that lie behind one another for each k, and from
// columns of b that lie together at an offset for each k. So b may be a matrix, or an
// image of which each k is another part: a convolution is a product without a copy.
//
// These are the kernels of Go's own; init of the files for processors puts others here.
var (
	tileRows, tileColumns = 2, 4

	// productTile computes c, of rows that are ldc apart, as start + Σ a·b, and no number
	// below floor. A sum starts with bias: of its row, if byRow, or of its column.
	productTile = productTileGo

	// productRow computes one row of columns numbers, from numbers of a that lie together.
	productRow = productRowGo
)

var noFloor = float32(math.Inf(-1))

func productTileGo(c *float32, ldc int, a, b *float32, offsets *int, k int, bias *float32, byRow bool, floor float32) {
	at, bt, off := from(a, 2*k), pointer{b}, from(offsets, k)
	start := from(bias, 4)
	x0, x1, x2, x3 := start[0], start[1], start[2], start[3]
	y0, y1, y2, y3 := x0, x1, x2, x3
	if byRow {
		x1, x2, x3 = x0, x0, x0
		y0, y1, y2, y3 = start[1], start[1], start[1], start[1]
	}
	for i, o := range off {
		a0, a1 := at[2*i], at[2*i+1]
		v := bt.four(o)
		x0 += a0 * v[0]
		x1 += a0 * v[1]
		x2 += a0 * v[2]
		x3 += a0 * v[3]
		y0 += a1 * v[0]
		y1 += a1 * v[1]
		y2 += a1 * v[2]
		y3 += a1 * v[3]
	}
	out := from(c, ldc+4)
	out[0], out[1], out[2], out[3] = max(x0, floor), max(x1, floor), max(x2, floor), max(x3, floor)
	out = out[ldc:]
	out[0], out[1], out[2], out[3] = max(y0, floor), max(y1, floor), max(y2, floor), max(y3, floor)
}

func productRowGo(c, a, b *float32, offsets *int, k int, bias *float32, byRow bool, floor float32) {
	bt, off := pointer{b}, from(offsets, k)
	start := from(bias, 4)
	x0, x1, x2, x3 := start[0], start[1], start[2], start[3]
	if byRow {
		x1, x2, x3 = x0, x0, x0
	}
	for i, v := range from(a, k) {
		w := bt.four(off[i])
		x0 += v * w[0]
		x1 += v * w[1]
		x2 += v * w[2]
		x3 += v * w[3]
	}
	out := from(c, 4)
	out[0], out[1], out[2], out[3] = max(x0, floor), max(x1, floor), max(x2, floor), max(x3, floor)
}
