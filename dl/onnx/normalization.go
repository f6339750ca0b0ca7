package onnx

import (
	"errors"
	"math"

	"github.com/gradbook/gradbook/dl/layers"
)

func (e *exporter) normalization(l layers.Layer, w []array, x string, shape layers.Shape) (string, error) {
	lastAxis := func(axis int) bool { return axis == 0 || axis == -1 || axis == len(shape) }
	next := func() array {
		a := w[0]
		w = w[1:]
		return a
	}
	scaleShift := func(y string, noScale, noCenter bool) string {
		if !noScale {
			y = e.op("Mul", []string{y, e.constant(next())})
		}
		if !noCenter {
			y = e.op("Add", []string{y, e.constant(next())})
		}
		return y
	}
	root := func(square string, epsilon float64) string {
		return e.op("Sqrt", []string{e.op("Add", []string{square, e.scalar(epsilon)})})
	}
	switch l := l.(type) {
	case layers.BatchNormalization:
		if !lastAxis(l.Axis) {
			break
		}
		n := w[len(w)-1].dims[0]
		mean, variance := w[len(w)-2].values, w[len(w)-1].values
		factor, shift := make([]float32, n), make([]float32, n)
		for i := range n {
			factor[i] = float32(1 / math.Sqrt(float64(variance[i])+or(l.Epsilon, 1e-3)))
		}
		if !l.NoScale {
			for i, g := range next().values {
				factor[i] *= g
			}
		}
		for i := range n {
			shift[i] = -mean[i] * factor[i]
		}
		if !l.NoCenter {
			for i, b := range next().values {
				shift[i] += b
			}
		}
		return e.op("Add", []string{e.op("Mul", []string{x, e.floats(factor, n)}), e.floats(shift, n)}), nil
	case layers.LayerNormalization:
		axes := l.Axes
		if axes == nil {
			axes = []int{-1}
		}
		if len(axes) != 1 || !lastAxis(axes[0]) {
			break
		}
		y := x
		if !l.RMSScaling {
			y = e.op("Sub", []string{x, e.op("ReduceMean", []string{x, e.ints(-1)})})
		}
		y = e.op("Div", []string{y, root(e.op("ReduceMean", []string{e.op("Mul", []string{y, y}), e.ints(-1)}), or(l.Epsilon, 1e-3))})
		return scaleShift(y, l.NoScale && !l.RMSScaling, l.NoCenter || l.RMSScaling), nil
	case layers.RMSNormalization:
		if !lastAxis(l.Axis) {
			break
		}
		y := e.op("Div", []string{x, root(e.op("ReduceMean", []string{e.op("Mul", []string{x, x}), e.ints(-1)}), or(l.Epsilon, 1e-6))})
		return scaleShift(y, false, true), nil
	case layers.GroupNormalization:
		if !lastAxis(l.Axis) {
			break
		}
		channels := shape[len(shape)-1]
		groups := l.Groups
		switch groups {
		case 0:
			groups = 32
		case -1:
			groups = channels
		}
		rank := len(shape) + 1
		y := x
		if rank > 2 {
			y = e.first(x, rank)
		}
		y = e.op("Reshape", []string{y, e.ints(0, groups, -1)})
		ones, zeros := make([]float32, groups), make([]float32, groups)
		for i := range ones {
			ones[i] = 1
		}
		y = e.op("InstanceNormalization", []string{y, e.floats(ones, groups), e.floats(zeros, groups)}, floatAttr("epsilon", or(l.Epsilon, 1e-3)))
		y = e.op("Reshape", []string{y, e.ints(append([]int{-1, channels}, shape[:len(shape)-1]...)...)})
		if rank > 2 {
			y = e.last(y, rank)
		}
		return scaleShift(y, l.NoScale, l.NoCenter), nil
	case layers.UnitNormalization:
		if len(l.Axes) > 1 || len(l.Axes) == 1 && !lastAxis(l.Axes[0]) {
			break
		}
		return e.op("Div", []string{x, e.op("Max", []string{e.op("ReduceL2", []string{x, e.ints(-1)}), e.scalar(1e-6)})}), nil
	}
	return "", errors.New("along other axes than the last it has no counterpart in ONNX here")
}
