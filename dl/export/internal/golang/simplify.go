package golang

import (
	"encoding/binary"
	"math"
	"slices"
)

// simplify takes away what need not be computed, and joins what a kernel does at once.
func (g *graph) simplify() {
	g.bypass()
	for g.sinkTransposes() {
	}
	g.bypass()
	g.prune()
	g.fuse()
	g.live()
}

// replace has everything that uses a value use another one.
func (g *graph) replace(v, by *value) {
	for _, n := range g.nodes {
		for i := range n.in {
			if n.in[i] == v {
				n.in[i] = by
			}
		}
	}
	for i := range g.outs {
		if g.outs[i] == v {
			g.outs[i] = by
		}
	}
}

// users are the nodes that use a value; end says whether it is an output, too.
func (g *graph) users(v *value) (nodes []*node, end bool) {
	for _, n := range g.nodes {
		if slices.Contains(n.in, v) {
			nodes = append(nodes, n)
		}
	}
	return nodes, slices.Contains(g.outs, v)
}

// bypass takes away what changes nothing: Identity, Dropout outside training, and a
// Transpose that another one undoes.
func (g *graph) bypass() {
	kept := g.nodes[:0:0]
	for _, n := range g.nodes {
		switch {
		case n.op == "Identity", n.op == "Dropout" && !n.has(2) && len(n.out) == 1:
			g.replace(n.out[0], n.in[0])
			continue
		case n.op == "Transpose" && n.in[0].from != nil && n.in[0].from.op == "Transpose":
			first := n.in[0].from
			a, b := first.ints("perm"), n.ints("perm")
			if a == nil || b == nil || len(a) != len(b) {
				break
			}
			joined := make([]int, len(a))
			for i := range b {
				joined[i] = a[b[i]]
			}
			if ordered(joined) {
				g.replace(n.out[0], first.in[0])
				continue
			}
			n.in = []*value{first.in[0]}
			n.setPerm(joined)
		}
		kept = append(kept, n)
	}
	g.nodes = kept
}

func ordered(perm []int) bool {
	for i, p := range perm {
		if i != p {
			return false
		}
	}
	return true
}

func inverse(perm []int) []int {
	out := make([]int, len(perm))
	for i, p := range perm {
		out[p] = i
	}
	return out
}

// sinkTransposes moves a Transpose behind what works number by number, so that it meets the
// one that undoes it: layers have their channels last, ONNX first. It says whether any moved.
func (g *graph) sinkTransposes() bool {
	for at, n := range g.nodes {
		perm := g.sinks(n)
		if perm == nil {
			continue
		}
		for i, v := range n.in {
			if v == nil {
				continue
			}
			if v.from != nil && v.from.op == "Transpose" {
				n.in[i] = v.from.in[0]
			} else {
				n.in[i] = turnedConstant(v, perm)
			}
		}
		if n.op == "Concat" {
			axis := n.int("axis", 0)
			if axis < 0 {
				axis += len(perm)
			}
			n.setInt("axis", perm[axis])
		}
		out := n.out[0]
		inner := &value{name: out.name + " before its transposition", from: n}
		n.out[0] = inner
		t := &node{op: "Transpose", in: []*value{inner}, out: []*value{out}, opset: n.opset}
		t.setPerm(perm)
		out.from = t
		g.nodes = slices.Insert(g.nodes, at+1, t)
		g.bypass()
		return true
	}
	return false
}

// sinks returns the order of axes that a node's inputs are transposed by, if all of them are,
// and it would give the same without; nil otherwise.
func (g *graph) sinks(n *node) []int {
	o := operators[n.op]
	if !o.pointwise && n.op != "Concat" || len(n.out) != 1 {
		return nil
	}
	var perm []int
	for _, v := range n.in {
		if v != nil && v.from != nil && v.from.op == "Transpose" {
			p := v.from.ints("perm")
			if p == nil || perm != nil && !slices.Equal(p, perm) {
				return nil
			}
			perm = p
		}
	}
	if perm == nil || ordered(perm) {
		return nil
	}
	for _, v := range n.in {
		if v == nil || v.from != nil && v.from.op == "Transpose" {
			continue
		}
		if v.constant == nil || n.op == "Concat" || len(v.constant.Dims) > len(perm) {
			return nil
		}
	}
	// It is of use only where another Transpose follows, sooner or later.
	if !g.leadsToTranspose(n.out[0], 0) {
		return nil
	}
	return perm
}

func (g *graph) leadsToTranspose(v *value, depth int) bool {
	users, end := g.users(v)
	if end || len(users) == 0 || depth > 16 {
		return false
	}
	for _, u := range users {
		if u.op != "Transpose" && (!operators[u.op].pointwise && u.op != "Concat" || len(u.out) != 1 || !g.leadsToTranspose(u.out[0], depth+1)) {
			return false
		}
	}
	return true
}

// turnedConstant is a constant with its axes as they were before a transposition by perm.
func turnedConstant(v *value, perm []int) *value {
	t := *v.constant
	if len(t.Dims) == 0 || len(t.Raw) == t.Width() {
		t.Dims = nil
		return &value{name: v.name, kind: v.kind, constant: &t, static: true}
	}
	full := make([]int64, len(perm))
	for i := range full {
		full[i] = 1
		if at := i - len(perm) + len(t.Dims); at >= 0 {
			full[i] = t.Dims[at]
		}
	}
	back := inverse(perm)
	t.Dims, t.Raw = transposed(full, t.Raw, t.Width(), back)
	return &value{name: v.name, kind: v.kind, constant: &t, static: true}
}

// transposed is a tensor's bytes with its axes in another order.
func transposed(dims []int64, raw []byte, width int, perm []int) (shape []int64, out []byte) {
	steps, n := make([]int, len(dims)), 1
	for i := len(dims) - 1; i >= 0; i-- {
		steps[i] = n
		n *= int(dims[i])
	}
	shape = make([]int64, len(dims))
	for i, p := range perm {
		shape[i] = dims[p]
	}
	out = make([]byte, 0, len(raw))
	for i := range n {
		at, rest := 0, i
		for d := len(shape) - 1; d >= 0; d-- {
			at += rest % int(shape[d]) * steps[perm[d]]
			rest /= int(shape[d])
		}
		out = append(out, raw[at*width:(at+1)*width]...)
	}
	return shape, out
}

// fuse makes a bias and a Relu part of the product or the convolution before them.
func (g *graph) fuse() {
	for i := 0; i < len(g.nodes); i++ {
		n := g.nodes[i]
		if n.op != "MatMul" && n.op != "Conv" && n.op != "Gemm" {
			continue
		}
		if n.op == "MatMul" && n.in[1].static && n.in[1].constant != nil && len(n.in[1].constant.Dims) == 2 {
			if add, other := g.only(n, "Add"); add != nil && other != nil && other.constant != nil && vectorOf(other, n.in[1].constant.Dims[1]) {
				n.bias = other
				g.join(n, add)
			}
		}
		if n.op != "MatMul" || n.bias != nil || n.op == "MatMul" && n.in[1].constant != nil && len(n.in[1].constant.Dims) == 2 {
			if relu, _ := g.only(n, "Relu"); relu != nil {
				n.relu = true
				g.join(n, relu)
			}
		}
	}
}

// only is the one node that uses another one's result, if it has that operator; other is its
// other input.
func (g *graph) only(n *node, op string) (user *node, other *value) {
	users, end := g.users(n.out[0])
	if end || len(users) != 1 || users[0].op != op {
		return nil, nil
	}
	for _, v := range users[0].in {
		if v != n.out[0] {
			other = v
		}
	}
	return users[0], other
}

func (g *graph) join(n, with *node) {
	n.out[0] = with.out[0]
	n.out[0].from = n
	g.nodes = slices.DeleteFunc(g.nodes, func(m *node) bool { return m == with })
}

func vectorOf(v *value, n int64) bool {
	return v.kind == 1 && len(v.constant.Dims) == 1 && v.constant.Dims[0] == n
}

// prune keeps what leads to outputs, and returns the values that are needed.
func (g *graph) prune() map[*value]bool {
	needed := make(map[*value]bool)
	for _, v := range g.outs {
		needed[v] = true
	}
	var kept []*node
	for _, n := range slices.Backward(g.nodes) {
		if !slices.ContainsFunc(n.out, func(v *value) bool { return needed[v] }) {
			continue
		}
		for _, v := range n.inputs() {
			needed[v] = true
		}
		kept = append(kept, n)
	}
	slices.Reverse(kept)
	g.nodes = kept
	return needed
}

// live says which values depend on weights alone, and which nothing needs.
func (g *graph) live() {
	needed := g.prune()
	for i, n := range g.nodes {
		n.order = i + 1
		static := !slices.ContainsFunc(n.inputs(), func(v *value) bool { return !v.static })
		for _, v := range n.out {
			v.static = static
			if !needed[v] {
				v.name = ""
			}
		}
	}
}

// inputs are all values that a node needs.
func (n *node) inputs() []*value {
	var all []*value
	for _, v := range n.in {
		if v != nil {
			all = append(all, v)
		}
	}
	if n.bias != nil {
		all = append(all, n.bias)
	}
	return all
}

// floats are a float32 constant's numbers.
func (v *value) floats() []float32 {
	raw := v.constant.Raw
	out := make([]float32, len(raw)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return out
}

// whole are a constant's whole numbers, if it is one of int64 or int32.
func (v *value) whole() ([]int, bool) {
	if v == nil || v.constant == nil {
		return nil, false
	}
	raw := v.constant.Raw
	out := []int{}
	switch v.kind {
	case 7:
		for i := 0; i < len(raw); i += 8 {
			out = append(out, int(int64(binary.LittleEndian.Uint64(raw[i:]))))
		}
	case 6:
		for i := 0; i < len(raw); i += 4 {
			out = append(out, int(int32(binary.LittleEndian.Uint32(raw[i:]))))
		}
	default:
		return nil, false
	}
	return out, true
}
