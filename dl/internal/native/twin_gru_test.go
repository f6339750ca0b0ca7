//go:build cgo && (linux || darwin) && (amd64 || arm64)

package native

import (
	"fmt"
	"math"
)

// gruMoment is what a step of a GRU's example remembers; z is nil where a mask left it out.
type gruMoment struct{ h, z, r, g, seen []float64 }

// gruSteps computes the states of an example: moments[0] is before the first step.
func (l *twin) gruSteps(example int, bh []float32) []gruMoment {
	n := l.units
	h := make([]float64, n)
	for k := range h {
		h[k] = float64(l.h0[example*n+k])
	}
	all := []gruMoment{{h: h}}
	for t := range l.steps {
		before := all[t].h
		if l.mask != nil && l.mask[t*l.batch+example] == 0 {
			all = append(all, gruMoment{h: before})
			continue
		}
		x, y := make([]float64, 3*n), make([]float64, 3*n)
		for k := range x {
			x[k], y[k] = float64(l.b[k]), float64(bh[k])
			for f := range l.features {
				x[k] += float64(l.x[(example*l.steps+t)*l.features+f]) * float64(l.w[f*3*n+k])
			}
			for j := range n {
				y[k] += before[j] * float64(l.u[j*3*n+k])
			}
		}
		m := gruMoment{make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), y[2*n:]}
		for k := range n {
			m.z[k], m.r[k] = sigmoid(x[k]+y[k]), sigmoid(x[n+k]+y[n+k])
			m.g[k] = math.Tanh(x[2*n+k] + m.r[k]*m.seen[k])
			m.h[k] = m.z[k]*before[k] + (1-m.z[k])*m.g[k]
		}
		all = append(all, m)
	}
	return all
}

// gruBack adds an example's gradients; that by bh goes to bh.
func (l *twin) gruBack(g *gradients, bh sums, example int, all []gruMoment, dall, dh []float32) {
	n := l.units
	h := make([]float64, n)
	for k := range n {
		h[k] = float64(dh[example*n+k])
	}
	for t := l.steps - 1; t >= 0; t-- {
		if dall != nil {
			for k := range n {
				h[k] += float64(dall[(t*l.batch+example)*n+k])
			}
		}
		m, before := all[t+1], all[t].h
		if m.z == nil {
			continue
		}
		x, y := make([]float64, 3*n), make([]float64, 3*n)
		for k := range n {
			c := h[k] * (1 - m.z[k]) * (1 - m.g[k]*m.g[k])
			x[k], x[n+k], x[2*n+k] = h[k]*(before[k]-m.g[k])*m.z[k]*(1-m.z[k]), c*m.seen[k]*m.r[k]*(1-m.r[k]), c
			y[k], y[n+k], y[2*n+k] = x[k], x[n+k], c*m.r[k]
			h[k] *= m.z[k]
		}
		for k := range x {
			g.b.add(k, x[k])
			bh.add(k, y[k])
			for f := range l.features {
				at := (example*l.steps+t)*l.features + f
				g.w.add(f*3*n+k, float64(l.x[at])*x[k])
				g.x.add(at, float64(l.w[f*3*n+k])*x[k])
			}
			for j := range n {
				g.u.add(j*3*n+k, before[j]*y[k])
				h[j] += float64(l.u[j*3*n+k]) * y[k]
			}
		}
	}
	for k := range n {
		g.h0.add(example*n+k, h[k])
	}
}

// gruTwins is a GRU and its gradients.
func gruTwins(c *chance) error {
	batch, steps, features, units := c.from(1, 9), c.from(1, 6), c.from(1, 20), lanes[c.set]*c.from(1, 5)
	x, w, u, bx, bh := c.small(batch, steps, features), c.small(features, 3*units), c.small(units, 3*units), c.small(3*units), c.small(3*units)
	h0, dh, dall := c.small(batch, units), c.small(batch, units), c.small(steps, batch, units)
	in := []Array{x, w, u, bx, bh, h0}
	l := &twin{batch, steps, features, units, x.Values, w.Values, u.Values, bx.Values, h0.Values, nil, nil}
	masked, whole := c.IntN(2), c.IntN(2)
	mask := c.truths(steps, batch)
	if masked == 1 {
		l.mask = mask.Values
		in = append(in, mask)
	}
	hs, gates, h, again := Make(steps+1, batch, units), Make(steps, batch, 4*units), Make(batch, units), Make(steps+1, batch, units)
	outs, back, some := []Array{h}, []Array{x, u, hs, gates, dh}, []float32(nil)
	if whole == 1 {
		outs, back, some = append(outs, again), append(back, dall), dall.Values
	}
	if masked == 1 {
		back = append(back, mask)
	}
	dz, dh0, dx := Make(steps, batch, 4*units), Make(batch, units), Make(batch, steps, features)
	dw, du, dbx, dbh := Make(features, 3*units), Make(units, 3*units), Make(3*units), Make(3*units)
	for _, k := range []struct {
		name     string
		settings []int
		in, out  []Array
	}{
		{"gru_forward", nil, in, []Array{hs, gates}},
		{"gru_infer", []int{whole}, in, outs},
		{"gru_backward", []int{whole, masked}, back, []Array{dz, dh0}},
		{"gru_weights", nil, []Array{x, u, hs, dz}, []Array{dw, du, dbx, dbh}},
		{"gru_input", nil, []Array{x, u, w, dz}, []Array{dx}},
	} {
		if err := Run(c.set, false, k.name, k.settings, k.in, k.out); err != nil {
			return err
		}
	}
	want, by := newSums(len(hs.Values)), newSums(len(dbh.Values))
	g := &gradients{newSums(len(dx.Values)), newSums(len(dw.Values)), newSums(len(du.Values)), newSums(len(dbx.Values)), newSums(len(dh0.Values)), sums{}}
	for e := range batch {
		all := l.gruSteps(e, bh.Values)
		for t, m := range all {
			for k := range units {
				want.add((t*batch+e)*units+k, m.h[k])
			}
		}
		l.gruBack(g, by, e, all, some, dh.Values)
	}
	last := len(want.values) - batch*units
	checks := []check{
		{"hs", want, hs.Values},
		{"h", sums{want.values[last:], want.sizes[last:]}, h.Values},
		{"dx", g.x, dx.Values},
		{"dw", g.w, dw.Values},
		{"du", g.u, du.Values},
		{"dbx", g.b, dbx.Values},
		{"dbh", by, dbh.Values},
		{"dh0", g.h0, dh0.Values},
	}
	if whole == 1 {
		checks = append(checks, check{"hs again", want, again.Values})
	}
	return compareAll(fmt.Sprintf("GRU, batch %d, steps %d, features %d, units %d, mask %d, all %d: ", batch, steps, features, units, masked, whole), checks)
}
