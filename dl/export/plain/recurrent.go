package plain

import "math"

// recurrence is what RNN, LSTM and GRU have in common, in ONNX's terms.
type recurrence struct {
	units      int
	directions []bool // of each, whether it goes backwards
	batchFirst bool   // layout 1
	// input and hidden are each direction's weights for all gates, input with the bias.
	input, hidden []matrix
	// hiddenBias is what a GRU adds before its reset; peephole an LSTM's weights of cells.
	hiddenBias [][]float32
	peephole   [][]float32
	activation [][]func(float32) float32 // of each direction
	clip       float32                   // 0 is none
	coupled    bool                      // an LSTM's input gate is 1 - forget
	linear     bool                      // a GRU's reset comes after the product
}

// newRecurrence lays out weights. b is a bias of input and of hidden for each direction, and
// may be nil; apart keeps the last gate's hidden bias apart, as a GRU needs it.
func newRecurrence(r recurrence, w, u, b tensor[float32], gates int, apart bool) recurrence {
	n, in := gates*r.units, w.shape[2]
	for d := range r.directions {
		bias, rest := make([]float32, n), make([]float32, r.units)
		if b.data != nil {
			v := b.data[d*2*n:][:2*n]
			for i := range n {
				bias[i] = v[i]
				if apart && i >= n-r.units {
					rest[i-n+r.units] = v[n+i]
				} else {
					bias[i] += v[n+i]
				}
			}
		}
		r.hiddenBias = append(r.hiddenBias, rest)
		r.input = append(r.input, newMatrixOf(tensor[float32]{[]int{n, in}, w.data[d*n*in:][:n*in]}, true, 1, bias))
		r.hidden = append(r.hidden, newMatrixOf(tensor[float32]{[]int{n, r.units}, u.data[d*n*r.units:][:n*r.units]}, true, 1, nil))
	}
	return r
}

// cell computes a step of one example: gates are input's and hidden's parts of all gates, h
// and c the states, which it replaces.
type cell func(r *recurrence, direction int, gates, hidden, h, c []float32)

// run goes through a sequence. x is [time, batch, features], or batch first; lengths, initial
// states may be nil. all is [time, directions, batch, units], h and c [directions, batch, units].
func (r recurrence) run(m *memory, x tensor[float32], lengths []int32, h0, c0 []float32, step cell) (all, h, c tensor[float32]) {
	if len(x.shape) != 3 || x.shape[2] != r.input[0].rows {
		fail("expected sequences of %d features, got shape %v", r.input[0].rows, x.shape)
	}
	if r.batchFirst {
		x = transpose(m, x, 1, 0, 2)
		h0, c0 = r.turned(m, h0), r.turned(m, c0)
	}
	steps, batch, features := x.shape[0], x.shape[1], x.shape[2]
	n := r.input[0].columns
	all = alloc[float32](m, steps, len(r.directions), batch, r.units)
	clear(all.data)
	h, c = alloc[float32](m, len(r.directions), batch, r.units), alloc[float32](m, len(r.directions), batch, r.units)
	begin(h.data, h0)
	begin(c.data, c0)
	gates, hidden := m.take(steps*batch*n), m.take(batch*n)
	for d, backwards := range r.directions {
		if batch*steps > 0 {
			r.input[d].product(m, gates, x.data, len(x.data)/features, noFloor)
		}
		hd, cd := h.data[d*batch*r.units:][:batch*r.units], c.data[d*batch*r.units:][:batch*r.units]
		for t := range steps {
			r.hidden[d].product(m, hidden, hd, batch, noFloor)
			for b := range batch {
				length := steps
				if lengths != nil {
					length = int(lengths[b])
				}
				if t >= length {
					continue
				}
				at := t
				if backwards {
					at = length - 1 - t
				}
				state := hd[b*r.units:][:r.units]
				step(&r, d, gates[(at*batch+b)*n:][:n], hidden[b*n:][:n], state, cd[b*r.units:][:r.units])
				copy(all.data[((at*len(r.directions)+d)*batch+b)*r.units:], state)
			}
		}
	}
	m.give(gates)
	m.give(hidden)
	if r.batchFirst {
		all, h, c = transpose(m, all, 2, 0, 1, 3), transpose(m, h, 1, 0, 2), transpose(m, c, 1, 0, 2)
	}
	return all, h, c
}

// turned are initial states with the directions first.
func (r recurrence) turned(m *memory, s []float32) []float32 {
	if s == nil {
		return nil
	}
	n := len(r.directions)
	return transpose(m, tensor[float32]{[]int{len(s) / n / r.units, n, r.units}, s}, 1, 0, 2).data
}

func begin(state, from []float32) {
	clear(state)
	copy(state, from)
}

func (r *recurrence) limit(v float32) float32 {
	if r.clip > 0 {
		return max(-r.clip, min(r.clip, v))
	}
	return v
}

func rnnCell(r *recurrence, d int, gates, hidden, h, _ []float32) {
	f := r.activation[d][0]
	for i := range h {
		h[i] = f(r.limit(gates[i] + hidden[i]))
	}
}

// lstmCell has ONNX's order of gates: input, output, forget, cell.
func lstmCell(r *recurrence, d int, gates, hidden, h, c []float32) {
	f, g, o := r.activation[d][0], r.activation[d][1], r.activation[d][2]
	n := r.units
	var peep []float32
	if r.peephole != nil {
		peep = r.peephole[d]
	}
	for i := range h {
		in, out, forget, cand := gates[i]+hidden[i], gates[n+i]+hidden[n+i], gates[2*n+i]+hidden[2*n+i], gates[3*n+i]+hidden[3*n+i]
		if len(peep) > 0 {
			in += peep[i] * c[i]
			forget += peep[2*n+i] * c[i]
		}
		fg := f(r.limit(forget))
		ig := 1 - fg
		if !r.coupled {
			ig = f(r.limit(in))
		}
		c[i] = fg*c[i] + ig*g(r.limit(cand))
		if len(peep) > 0 {
			out += peep[n+i] * c[i]
		}
		h[i] = f(r.limit(out)) * o(c[i])
	}
}

// gruCell has ONNX's order of gates: update, reset, hidden.
func gruCell(r *recurrence, d int, gates, hidden, h, _ []float32) {
	f, g := r.activation[d][0], r.activation[d][1]
	n := r.units
	update, reset := make([]float32, n), make([]float32, n)
	for i := range n {
		update[i], reset[i] = f(r.limit(gates[i]+hidden[i])), f(r.limit(gates[n+i]+hidden[n+i]))
	}
	last := hidden[2*n:]
	if !r.linear {
		turned := make([]float32, n)
		for i, v := range h {
			turned[i] = reset[i] * v
		}
		last = r.hidden[d].part(turned, 2*n)
	}
	for i, v := range h {
		inner := last[i] + r.hiddenBias[d][i]
		if r.linear {
			inner *= reset[i]
		}
		h[i] = (1-update[i])*g(r.limit(gates[2*n+i]+inner)) + update[i]*v
	}
}

// part is a row times the columns from one on.
func (p matrix) part(x []float32, column int) []float32 {
	y := make([]float32, p.columns-column)
	for i := range y {
		s, at := (column+i)/tileColumns, (column+i)%tileColumns
		var sum float32
		for k, v := range x {
			sum += v * p.strips[(s*p.rows+k)*tileColumns+at]
		}
		y[i] = sum
	}
	return y
}

func scaledTanh(alpha, beta float64) func(float64) float64 {
	return func(v float64) float64 { return alpha * math.Tanh(beta*v) }
}

func line(alpha, beta float64) func(float64) float64 {
	return func(v float64) float64 { return alpha*v + beta }
}

// rows are the rows of a tensor of two axes.
func rows(x tensor[float32]) [][]float32 {
	var all [][]float32
	for i := range x.shape[0] {
		all = append(all, x.data[i*x.shape[1]:][:x.shape[1]])
	}
	return all
}
