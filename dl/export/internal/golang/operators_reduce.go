package golang

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/internal/proto"
)

var reductions = map[string]operator{
	"ReduceSum": {write: reduce("reduceSum(m, %s)", numbers)}, "ReduceMean": {write: reduce("reduceMean(m, %s)", numbers)},
	"ReduceProd": {write: reduce("reduceProd(m, %s)", numbers)}, "ReduceL1": {write: reduce("reduceL1(m, %s)", numbers)},
	"ReduceL2": {write: reduce("reduceL2(m, %s)", floats)}, "ReduceSumSquare": {write: reduce("reduceSumSquare(m, %s)", numbers)},
	"ReduceLogSum": {write: reduce("reduceLogSum(m, %s)", floats)}, "ReduceLogSumExp": {write: reduce("reduceLogSumExp(m, %s)", floats)},
	"ReduceMax": {write: extreme("reduceMax", 0)}, "ReduceMin": {write: extreme("reduceMin", 1)},
	"ArgMax": {write: argMax}, "ArgMin": {write: argMax}, "CumSum": {write: cumSum, since: 14},
	"GlobalAveragePool": {write: global("reduceMean(m, %s, behind(%s, 2), true)")},
	"GlobalMaxPool":     {write: global("reduceMax(m, %s, behind(%s, 2), true, float32(math.Inf(-1)))")},
	"RNN":               {write: recurrent(1, "rnnCell")}, "LSTM": {write: recurrent(4, "lstmCell")}, "GRU": {write: recurrent(3, "gruCell")},
}

// reduced are the arguments that all reductions have.
func reduced(w *writer, n *node) (string, error) {
	axes := list(n.ints("axes"))
	if n.has(1) {
		var err error
		if axes, err = w.whole(n, 1); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s, %s, %v", w.arg(n, n.in[0]), axes, n.int("keepdims", 1) != 0), nil
}

// nothing says whether a reduction may be over no axes at all, and so be none.
func nothing(n *node) bool {
	if n.int("noop_with_empty_axes", 0) == 0 || len(n.ints("axes")) > 0 {
		return false
	}
	known, ok := []int(nil), true
	if n.has(1) {
		known, ok = n.in[1].whole()
	}
	return !ok || len(known) == 0
}

func reduce(format string, allowed []int) func(*writer, *node) error {
	return func(w *writer, n *node) error {
		if err := kinds(n, 0, allowed...); err != nil {
			return err
		}
		if nothing(n) {
			return fmt.Errorf("noop_with_empty_axes is exported with axes that the file says only")
		}
		args, err := reduced(w, n)
		if err != nil {
			return err
		}
		return w.set(n, n.in[0].kind, format, args)
	}
}

// bounds are the least and the greatest number of each type.
var bounds = map[int][2]string{
	proto.Float: {"float32(math.Inf(-1))", "float32(math.Inf(1))"}, proto.Double: {"math.Inf(-1)", "math.Inf(1)"},
	proto.Int8: {"math.MinInt8", "math.MaxInt8"}, proto.Int16: {"math.MinInt16", "math.MaxInt16"},
	proto.Int32: {"math.MinInt32", "math.MaxInt32"}, proto.Int64: {"math.MinInt64", "math.MaxInt64"},
	proto.Uint8: {"0", "math.MaxUint8"}, proto.Uint16: {"0", "math.MaxUint16"}, proto.Uint32: {"0", "math.MaxUint32"},
	proto.Uint64: {"0", "math.MaxUint64"},
}

func extreme(name string, which int) func(*writer, *node) error {
	return func(w *writer, n *node) error {
		if err := kinds(n, 0, numbers...); err != nil {
			return err
		}
		return reduce(name+"(m, %s, "+bounds[n.in[0].kind][which]+")", numbers)(w, n)
	}
}

func argMax(w *writer, n *node) error {
	if err := kinds(n, 0, numbers...); err != nil {
		return err
	}
	return w.set(n, proto.Int64, "argMax(m, %s, %d, %v, %v, %v)", w.arg(n, n.in[0]), n.int("axis", 0), n.int("keepdims", 1) != 0, n.int("select_last_index", 0) != 0, n.op == "ArgMin")
}

func cumSum(w *writer, n *node) error {
	if err := kinds(n, 0, numbers...); err != nil {
		return err
	}
	axis, err := w.whole(n, 1)
	if err != nil {
		return err
	}
	return w.set(n, n.in[0].kind, "cumSum(m, %s, %s[0], %v, %v)", w.arg(n, n.in[0]), axis, n.int("exclusive", 0) != 0, n.int("reverse", 0) != 0)
}

func global(format string) func(*writer, *node) error {
	return func(w *writer, n *node) error {
		if err := kinds(n, 0, float32s...); err != nil {
			return err
		}
		x := w.arg(n, n.in[0])
		return w.set(n, proto.Float, format, x, "len("+x+".shape)")
	}
}
