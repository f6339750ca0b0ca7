package onnx

import (
	"math"

	"github.com/gradbook/gradbook/dl/layers"
)

func (e *exporter) attention(l layers.MultiHeadAttention, w []array, in []string, shapes []layers.Shape) ([]string, error) {
	query, value, key := in[0], in[min(1, len(in)-1)], in[len(in)-1]
	per := 2
	if l.NoBias {
		per = 1
	}
	project := func(x string, w []array, perm ...int) string {
		d := w[0].dims
		y := e.op("MatMul", []string{x, e.constant(w[0].reshaped(d[0], d[1]*d[2]))})
		if len(w) > 1 {
			y = e.op("Add", []string{y, e.constant(w[1].reshaped(d[1] * d[2]))})
		}
		return e.op("Transpose", []string{e.op("Reshape", []string{y, e.ints(0, 0, d[1], d[2])})}, intsAttr("perm", perm...))
	}
	q := project(query, w[:per], 0, 2, 1, 3)
	k := project(key, w[per:2*per], 0, 2, 3, 1)
	v := project(value, w[2*per:3*per], 0, 2, 1, 3)
	q = e.op("Mul", []string{q, e.scalar(1 / math.Sqrt(float64(l.KeyDim)))})
	scores := e.op("MatMul", []string{q, k})
	if l.UseCausalMask {
		target, source := shapes[0][0], shapes[len(shapes)-1][0]
		mask := make([]float32, target*source)
		for i := range target {
			for j := i + 1; j < source; j++ {
				mask[i*source+j] = -1e9
			}
		}
		scores = e.op("Add", []string{scores, e.floats(mask, target, source)})
	}
	scores = e.op("Softmax", []string{scores}, intAttr("axis", -1))
	y := e.op("Transpose", []string{e.op("MatMul", []string{scores, v})}, intsAttr("perm", 0, 2, 1, 3))
	o := w[3*per]
	y = e.op("MatMul", []string{e.op("Reshape", []string{y, e.ints(0, 0, -1)}), e.constant(o.reshaped(o.dims[0]*o.dims[1], o.dims[2]))})
	return []string{e.bias(y, w[3*per+1:]), scores}, nil
}
