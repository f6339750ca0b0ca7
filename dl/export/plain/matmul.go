package plain

// matrix is the right operand of products, laid out for the kernel: strips of as many
// columns as a tile has, each with its rows behind one another.
type matrix struct {
	rows, columns int
	strips        []float32
	bias          []float32 // of columns, filled up to whole strips
}

// newMatrix lays a matrix of numbers in rows out. bias may be nil.
func newMatrix(x []float32, rows, columns int, bias []float32) matrix {
	w := tileColumns
	n := (columns + w - 1) / w
	p := matrix{rows, columns, make([]float32, n*rows*w, n*rows*w+slack), make([]float32, n*w, n*w+slack)}
	p.lay(x)
	copy(p.bias, bias)
	return p
}

func (p matrix) lay(x []float32) {
	w := tileColumns
	for s := 0; s*w < p.columns; s++ {
		m := min(w, p.columns-s*w)
		for r := range p.rows {
			copy(p.strips[(s*p.rows+r)*w:][:m], x[r*p.columns+s*w:])
		}
	}
}

// newMatrixOf lays out a tensor of two axes, turned if so said, times a factor.
func newMatrixOf(x tensor[float32], turned bool, factor float32, bias []float32) matrix {
	rows, columns := x.shape[0], x.shape[1]
	data := x.data
	if turned || factor != 1 {
		data = make([]float32, len(x.data))
		for r := range rows {
			for c := range columns {
				to := r*columns + c
				if turned {
					to = c*rows + r
				}
				data[to] = factor * x.data[r*columns+c]
			}
		}
	}
	if turned {
		rows, columns = columns, rows
	}
	return newMatrix(data, rows, columns, bias)
}

// product writes x·p + bias, no number below floor, of so many rows of x to y.
func (p matrix) product(m *memory, y, x []float32, rows int, floor float32) {
	if p.rows == 0 {
		x = []float32{0} // nothing of it is read
	}
	full := rows / tileRows * tileRows
	offsets := consecutive(p.rows, tileColumns)
	packed := m.take(tileRows*p.rows + 1)
	out := m.take(tileRows * tileColumns)
	for r := 0; r < full; r += tileRows {
		for i := range tileRows {
			for k, v := range x[(r+i)*p.rows:][:p.rows] {
				packed[k*tileRows+i] = v
			}
		}
		for s := 0; s*tileColumns < p.columns; s++ {
			width := min(tileColumns, p.columns-s*tileColumns)
			b, bias := &p.strips[:1+s*p.rows*tileColumns][s*p.rows*tileColumns], &p.bias[s*tileColumns]
			at := r*p.columns + s*tileColumns
			if width == tileColumns {
				productTile(&y[at], p.columns, &packed[0], b, offsets, p.rows, bias, false, floor)
				continue
			}
			productTile(&out[0], tileColumns, &packed[0], b, offsets, p.rows, bias, false, floor)
			for i := range tileRows {
				copy(y[at+i*p.columns:][:width], out[i*tileColumns:])
			}
		}
	}
	for r := full; r < rows; r++ {
		for s := 0; s*tileColumns < p.columns; s++ {
			productRow(&out[0], &x[:1+r*p.rows][r*p.rows], &p.strips[:1+s*p.rows*tileColumns][s*p.rows*tileColumns], offsets, p.rows, &p.bias[s*tileColumns], false, floor)
			copy(y[r*p.columns+s*tileColumns:(r+1)*p.columns], out[:tileColumns])
		}
	}
	m.give(packed)
	m.give(out)
}

// dense multiplies the last axis of x with a matrix and adds its bias; no number is below
// floor.
func dense(m *memory, x tensor[float32], p matrix, floor float32) tensor[float32] {
	last := len(x.shape) - 1
	if last < 0 || x.shape[last] != p.rows {
		fail("expected a last axis of %d, got shape %v", p.rows, x.shape)
	}
	shape := append([]int{}, x.shape...)
	shape[last] = p.columns
	y := alloc[float32](m, shape...)
	if len(y.data) > 0 {
		p.product(m, y.data, x.data, len(y.data)/p.columns, floor)
	}
	return y
}

// matmul multiplies the matrices that the last two axes are, for all axes before them.
func matmul(m *memory, a, b tensor[float32]) tensor[float32] {
	ra, rb := len(a.shape), len(b.shape)
	if ra == 0 || rb == 0 {
		fail("expected matrices, got shapes %v and %v", a.shape, b.shape)
	}
	sa, sb := a.shape, b.shape
	if ra == 1 {
		sa = []int{1, sa[0]}
	}
	if rb == 1 {
		sb = []int{sb[0], 1}
	}
	oa, ob := sa[:len(sa)-2], sb[:len(sb)-2]
	rows, k, columns := sa[len(sa)-2], sa[len(sa)-1], sb[len(sb)-1]
	if sb[len(sb)-2] != k {
		fail("expected matrices that go together, got shapes %v and %v", a.shape, b.shape)
	}
	outer := broadcast(oa, ob)
	shape := append([]int{}, outer...)
	if ra > 1 {
		shape = append(shape, rows)
	}
	if rb > 1 {
		shape = append(shape, columns)
	}
	y := alloc[float32](m, shape...)
	if len(y.data) == 0 {
		return y
	}
	w := tileColumns
	n := (columns + w - 1) / w
	p := matrix{rows: k, columns: columns, strips: m.take(n * k * w), bias: m.take(n * w)}
	clear(p.bias)
	laid := -1
	pairs(outer, oa, ob, func(o, i, j, n, si, sj int) {
		for e := range n {
			if at := j + e*sj; at != laid {
				p.lay(b.data[at*k*columns:])
				laid = at
			}
			p.product(m, y.data[(o+e)*rows*columns:], a.data[(i+e*si)*rows*k:], rows, noFloor)
		}
	})
	m.give(p.strips)
	m.give(p.bias)
	return y
}

// gemm is a product of two matrices, either of which may be turned, times alpha, and
// beta times another one.
func gemm(m *memory, a, b tensor[float32], turnA, turnB bool, alpha float32) tensor[float32] {
	if turnA {
		a = transpose(m, a)
	}
	return dense(m, a, newMatrixOf(b, turnB, alpha, nil), noFloor)
}

func scale(x tensor[float32], by float32) tensor[float32] {
	for i := range x.data {
		x.data[i] *= by
	}
	return x
}
