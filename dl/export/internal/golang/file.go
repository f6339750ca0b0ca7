package golang

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/gradbook/gradbook/dl/internal/proto"
)

// file is the weights, one after the other.
type file struct{ data []byte }

// add writes a weight, as int8 if it shall be, and returns how it is read.
func (f *file) add(v *value, whole bool) string {
	t := v.constant
	if whole {
		return f.rounded(v)
	}
	f.data = append(f.data, t.Raw...)
	separator := ""
	if len(t.Dims) > 0 {
		separator = ", "
	}
	return fmt.Sprintf("read[%s](r%s%s)", Types[v.kind], separator, dims(t.Dims))
}

// channels are the axes of a weight whose places have a scale each: those at the front but
// for a matrix, whose columns are its units.
func channels(dims []int64) int {
	if len(dims) == 3 { // of a recurrence: directions and units
		return 2
	}
	return 1
}

// rounded writes a weight as whole numbers of 8 bits, with a scale for each row: the largest
// number of a row is 127.
func (f *file) rounded(v *value) string {
	t := v.constant
	x := v.floats()
	rows := 1
	for _, d := range t.Dims[:channels(t.Dims)] {
		rows *= int(d)
	}
	inner, byColumn := len(x)/rows, len(t.Dims) == 2
	if byColumn {
		rows, inner = int(t.Dims[1]), 1
	}
	scales := make([]float64, rows)
	for i, a := range x {
		r := i / inner % rows
		scales[r] = max(scales[r], math.Abs(float64(a))/127)
	}
	for i := range scales {
		if scales[i] == 0 {
			scales[i] = 1
		}
		scales[i] = float64(float32(scales[i]))
		f.data = binary.LittleEndian.AppendUint32(f.data, math.Float32bits(float32(scales[i])))
	}
	for i, a := range x {
		f.data = append(f.data, byte(int8(math.RoundToEven(float64(a)/scales[i/inner%rows]))))
	}
	return fmt.Sprintf("readRounded(r, %d, %d, %s)", rows, inner, dims(t.Dims))
}

// rounds finds the weights that can be stored as int8: those of products, convolutions,
// recurrences and tables, with two axes or more.
func rounds(g *graph) map[*value]bool {
	all := make(map[*value]bool)
	for _, n := range g.nodes {
		var at []int
		switch n.op {
		case "MatMul", "Gemm", "Conv", "ConvTranspose":
			at = []int{1}
		case "RNN", "LSTM", "GRU":
			at = []int{1, 2}
		case "Gather":
			at = []int{0}
		}
		for _, i := range at {
			if v := n.in[i]; v.constant != nil && v.kind == proto.Float && len(v.constant.Dims) > 1 {
				all[v] = true
			}
		}
	}
	return all
}
