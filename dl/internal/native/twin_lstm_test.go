//go:build cgo && (linux || darwin) && (amd64 || arm64)

package native

import (
	"fmt"
	"math"
	"slices"
)

// twin is an LSTM in plain Go, float64, step by step.
type twin struct {
	batch, steps, features, units int
	x, w, u, b, h0, c0, mask      []float32
}

func sigmoid(v float64) float64 { return 1 / (1 + math.Exp(-v)) }

// moment is what a step of an example remembers.
type moment struct {
	h, c, i, f, g, o []float64 // h and c after the step
}

// run computes the states of an example: moments[0] is before the first step.
func (l *twin) run(example int) []moment {
	state := func(from []float32) []float64 {
		s := make([]float64, l.units)
		for k := range s {
			s[k] = float64(from[example*l.units+k])
		}
		return s
	}
	all := []moment{{h: state(l.h0), c: state(l.c0)}}
	for t := range l.steps {
		before := all[t]
		if l.mask != nil && l.mask[t*l.batch+example] == 0 {
			all = append(all, moment{h: before.h, c: before.c})
			continue
		}
		n := l.units
		z := make([]float64, 4*n)
		for k := range z {
			z[k] = float64(l.b[k])
			for f := range l.features {
				z[k] += float64(l.x[(example*l.steps+t)*l.features+f]) * float64(l.w[f*4*n+k])
			}
			for j := range n {
				z[k] += before.h[j] * float64(l.u[j*4*n+k])
			}
		}
		m := moment{make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)}
		for k := range n {
			m.i[k], m.f[k], m.g[k], m.o[k] = sigmoid(z[k]), sigmoid(z[n+k]), math.Tanh(z[2*n+k]), sigmoid(z[3*n+k])
			m.c[k] = m.f[k]*before.c[k] + m.i[k]*m.g[k]
			m.h[k] = m.o[k] * math.Tanh(m.c[k])
		}
		all = append(all, m)
	}
	return all
}

// gradients are those by x, w, u, b, h0 and c0.
type gradients struct{ x, w, u, b, h0, c0 sums }

// back adds an example's gradients, of moments that run made. dall may be nil.
func (l *twin) back(g *gradients, example int, all []moment, dall, dh, dc []float32) {
	n := l.units
	h, c := make([]float64, n), make([]float64, n)
	for k := range n {
		h[k], c[k] = float64(dh[example*n+k]), float64(dc[example*n+k])
	}
	for t := l.steps - 1; t >= 0; t-- {
		if dall != nil {
			for k := range n {
				h[k] += float64(dall[(t*l.batch+example)*n+k])
			}
		}
		m, before := all[t+1], all[t]
		if m.i == nil {
			continue
		}
		z := make([]float64, 4*n)
		for k := range n {
			y := math.Tanh(m.c[k])
			s := c[k] + h[k]*m.o[k]*(1-y*y)
			z[k], z[n+k], z[2*n+k], z[3*n+k] = s*m.g[k]*m.i[k]*(1-m.i[k]), s*before.c[k]*m.f[k]*(1-m.f[k]), s*m.i[k]*(1-m.g[k]*m.g[k]), h[k]*y*m.o[k]*(1-m.o[k])
			c[k] = s * m.f[k]
		}
		clear(h)
		for k, d := range z {
			g.b.add(k, d)
			for f := range l.features {
				at := (example*l.steps+t)*l.features + f
				g.w.add(f*4*n+k, float64(l.x[at])*d)
				g.x.add(at, float64(l.w[f*4*n+k])*d)
			}
			for j := range n {
				g.u.add(j*4*n+k, before.h[j]*d)
				h[j] += float64(l.u[j*4*n+k]) * d
			}
		}
	}
	for k := range n {
		g.h0.add(example*n+k, h[k])
		g.c0.add(example*n+k, c[k])
	}
}

// loose are the sizes that numbers are compared by where errors of many steps add up.
func (s sums) loose() sums {
	for i := range s.sizes {
		s.sizes[i] = 10 * (s.sizes[i] + 1)
	}
	return s
}

// lstmTwins is an LSTM and its gradients.
func lstmTwins(c *chance) error {
	batch, steps, features, units := c.from(1, 9), c.from(1, 6), c.from(1, 20), lanes[c.set]*c.from(1, 5)
	x, w, u, b := c.small(batch, steps, features), c.small(features, 4*units), c.small(units, 4*units), c.small(4*units)
	h0, c0, dh, dc, dall := c.small(batch, units), c.small(batch, units), c.small(batch, units), c.small(batch, units), c.small(steps, batch, units)
	in := []Array{x, w, u, b, h0, c0}
	l := &twin{batch, steps, features, units, x.Values, w.Values, u.Values, b.Values, h0.Values, c0.Values, nil}
	masked, whole := c.IntN(2), c.IntN(2)
	mask := c.truths(steps, batch)
	if masked == 1 {
		l.mask = mask.Values
		in = append(in, mask)
	}
	hs, cs, gates := Make(steps+1, batch, units), Make(steps+1, batch, units), Make(steps, batch, 4*units)
	if err := Run(c.set, false, "lstm_forward", nil, in, []Array{hs, cs, gates}); err != nil {
		return err
	}
	h, cell, again := Make(batch, units), Make(batch, units), Make(steps+1, batch, units)
	outs := []Array{h, cell}
	if whole == 1 {
		outs = append(outs, again)
	}
	if err := Run(c.set, false, "lstm_infer", []int{whole}, in, outs); err != nil {
		return err
	}
	back := []Array{x, u, cs, gates, dh, dc}
	if whole == 1 {
		back = append(back, dall)
	}
	if masked == 1 {
		back = append(back, mask)
	}
	dz, dh0, dc0 := Make(steps, batch, 4*units), Make(batch, units), Make(batch, units)
	dw, du, db, dx := Make(features, 4*units), Make(units, 4*units), Make(4*units), Make(batch, steps, features)
	for _, k := range []struct {
		name     string
		settings []int
		in, out  []Array
	}{
		{"lstm_backward", []int{whole, masked}, back, []Array{dz, dh0, dc0}},
		{"lstm_weights", nil, []Array{x, u, hs, dz}, []Array{dw, du, db}},
		{"lstm_input", nil, []Array{x, u, w, dz}, []Array{dx}},
	} {
		if err := Run(c.set, false, k.name, k.settings, k.in, k.out); err != nil {
			return err
		}
	}
	want, cells := newSums(len(hs.Values)), newSums(len(cs.Values))
	g := &gradients{newSums(len(dx.Values)), newSums(len(dw.Values)), newSums(len(du.Values)), newSums(len(db.Values)), newSums(len(dh0.Values)), newSums(len(dc0.Values))}
	for e := range batch {
		all := l.run(e)
		for t, m := range all {
			for k := range units {
				want.add((t*batch+e)*units+k, m.h[k])
				cells.add((t*batch+e)*units+k, m.c[k])
			}
		}
		some := dall.Values
		if whole == 0 {
			some = nil
		}
		l.back(g, e, all, some, dh.Values, dc.Values)
	}
	last := len(want.values) - batch*units
	checks := []check{
		{"hs", want, hs.Values},
		{"cs", cells, cs.Values},
		{"h", sums{want.values[last:], want.sizes[last:]}, h.Values},
		{"c", sums{cells.values[last:], cells.sizes[last:]}, cell.Values},
		{"dx", g.x, dx.Values},
		{"dw", g.w, dw.Values},
		{"du", g.u, du.Values},
		{"db", g.b, db.Values},
		{"dh0", g.h0, dh0.Values},
		{"dc0", g.c0, dc0.Values},
	}
	if whole == 1 {
		checks = append(checks, check{"hs again", want, again.Values})
	}
	return compareAll(fmt.Sprintf("LSTM, batch %d, steps %d, features %d, units %d, mask %d, all %d: ", batch, steps, features, units, masked, whole), checks)
}

// check is what was computed of something.
type check struct {
	name string
	want sums
	got  []float32
}

// compareAll allows for errors of many steps, which add up.
func compareAll(what string, checks []check) error {
	for _, c := range checks {
		c.want.sizes = slices.Clone(c.want.sizes)
		if err := c.want.loose().compare(what+c.name, c.got); err != nil {
			return err
		}
	}
	return nil
}

// small is an array of numbers that leave the gates' slopes apart from 0.
func (c *chance) small(dims ...int) Array {
	a := Make(dims...)
	for i := range a.Values {
		a.Values[i] = float32(c.NormFloat64()) * 0.3
	}
	return a
}

// truths is an array of 0 and 1.
func (c *chance) truths(dims ...int) Array {
	a := Make(dims...)
	for i := range a.Values {
		a.Values[i] = float32(c.IntN(2))
	}
	return a
}
