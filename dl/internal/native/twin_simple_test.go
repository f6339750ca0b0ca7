//go:build cgo && (linux || darwin) && (amd64 || arm64)

package native

import (
	"fmt"
	"math"
)

// simpleTwins is a SimpleRNN and its gradients.
func simpleTwins(c *chance) error {
	batch, steps, features, n := c.from(1, 9), c.from(1, 6), c.from(1, 20), 4*lanes[c.set]*c.from(1, 3)
	x, w, u, b := c.small(batch, steps, features), c.small(features, n), c.small(n, n), c.small(n)
	for i := range u.Values {
		u.Values[i] /= 4 // so many units would make much of rounding, step by step
	}
	h0, dh, dall := c.small(batch, n), c.small(batch, n), c.small(steps, batch, n)
	masked, whole := c.IntN(2), c.IntN(2)
	mask := c.truths(steps, batch)
	in := []Array{x, w, u, b, h0}
	back := []Array{x, u, {}, dh}
	if whole == 1 {
		back = append(back, dall)
	}
	if masked == 1 {
		in, back = append(in, mask), append(back, mask)
	}
	hs, h, again := Make(steps+1, batch, n), Make(batch, n), Make(steps+1, batch, n)
	outs := []Array{h}
	if whole == 1 {
		outs = append(outs, again)
	}
	back[2] = hs
	dz, dh0, dw, du, db, dx := Make(steps, batch, n), Make(batch, n), Make(features, n), Make(n, n), Make(n), Make(batch, steps, features)
	for _, k := range []struct {
		name     string
		settings []int
		in, out  []Array
	}{
		{"simple_forward", nil, in, []Array{hs}},
		{"simple_infer", []int{whole}, in, outs},
		{"simple_backward", []int{whole, masked}, back, []Array{dz, dh0}},
		{"simple_weights", nil, []Array{x, u, hs, dz}, []Array{dw, du, db}},
		{"simple_input", nil, []Array{x, u, w, dz}, []Array{dx}},
	} {
		if err := Run(c.set, false, k.name, k.settings, k.in, k.out); err != nil {
			return err
		}
	}
	want, dxs, dws, dus, dbs, dh0s := newSums(len(hs.Values)), newSums(len(dx.Values)), newSums(len(dw.Values)), newSums(len(du.Values)), newSums(n), newSums(batch*n)
	for e := range batch {
		counts := func(t int) bool { return masked == 0 || mask.Values[t*batch+e] != 0 }
		states := [][]float64{make([]float64, n)}
		for k := range n {
			states[0][k] = float64(h0.Values[e*n+k])
		}
		for t := range steps {
			next := make([]float64, n)
			for k := range n {
				if !counts(t) {
					next[k] = states[t][k]
					continue
				}
				z := float64(b.Values[k])
				for f := range features {
					z += float64(x.Values[(e*steps+t)*features+f]) * float64(w.Values[f*n+k])
				}
				for j := range n {
					z += states[t][j] * float64(u.Values[j*n+k])
				}
				next[k] = math.Tanh(z)
			}
			states = append(states, next)
		}
		d := make([]float64, n)
		for k := range n {
			d[k] = float64(dh.Values[e*n+k])
			for t, s := range states {
				want.add((t*batch+e)*n+k, s[k])
			}
		}
		for t := steps - 1; t >= 0; t-- {
			for k := range n {
				if whole == 1 {
					d[k] += float64(dall.Values[(t*batch+e)*n+k])
				}
			}
			if !counts(t) {
				continue
			}
			before := make([]float64, n)
			for k := range n {
				z := d[k] * (1 - states[t+1][k]*states[t+1][k])
				dbs.add(k, z)
				for f := range features {
					at := (e*steps+t)*features + f
					dws.add(f*n+k, float64(x.Values[at])*z)
					dxs.add(at, float64(w.Values[f*n+k])*z)
				}
				for j := range n {
					dus.add(j*n+k, states[t][j]*z)
					before[j] += float64(u.Values[j*n+k]) * z
				}
			}
			d = before
		}
		for k := range n {
			dh0s.add(e*n+k, d[k])
		}
	}
	last := len(want.values) - batch*n
	checks := []check{
		{"hs", want, hs.Values},
		{"h", sums{want.values[last:], want.sizes[last:]}, h.Values},
		{"dx", dxs, dx.Values},
		{"dw", dws, dw.Values},
		{"du", dus, du.Values},
		{"db", dbs, db.Values},
		{"dh0", dh0s, dh0.Values},
	}
	if whole == 1 {
		checks = append(checks, check{"hs again", want, again.Values})
	}
	return compareAll(fmt.Sprintf("SimpleRNN, batch %d, steps %d, features %d, units %d, mask %d, all %d: ", batch, steps, features, n, masked, whole), checks)
}
