package golang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/dl/internal/proto"
)

var layers = map[string]operator{
	"MatMul": {write: matmul}, "Gemm": {write: gemm}, "Einsum": {write: einsum},
	"Conv": {write: conv}, "ConvTranspose": {write: convTranspose},
	"MaxPool": {write: pool}, "AveragePool": {write: pool}, "LpPool": {write: pool, since: 18},
	"Softmax": {write: along("softmax"), since: 13}, "LogSoftmax": {write: along("logSoftmax"), since: 13}, "Hardmax": {write: along("hardmax"), since: 13},
	"LpNormalization": {write: lpNormalization}, "BatchNormalization": {write: batchNormalization, since: 9},
	"LayerNormalization": {write: layerNormalization}, "RMSNormalization": {write: rmsNormalization},
	"InstanceNormalization": {write: groups("len(%s)")}, "GroupNormalization": {write: groups(""), since: 21},
	"LRN": {write: localResponse}, "QuantizeLinear": {write: quantize}, "DequantizeLinear": {write: dequantize},
}

// floor is the least number of a result.
func (n *node) floor() string {
	if n.relu {
		return "0"
	}
	return "noFloor"
}

// make has load lay weights out once, and returns how run calls them.
func (w *writer) makeOnce(n *node, kind, text string) string {
	name, ok := w.made[text]
	if !ok {
		name = strings.ToLower(kind) + fmt.Sprint(len(w.made)+1)
		w.made[text] = name
		fmt.Fprintf(&w.load, "\t%s := %s\n", name, text)
	}
	if n.out[0].static {
		return name
	}
	w.field(name, kind)
	return "w." + name
}

// inLoad is a value as load calls it.
func (w *writer) inLoad(v *value) string {
	return w.arg(&node{out: []*value{{static: true}}}, v)
}

func matmul(w *writer, n *node) error {
	if err := alike(n, float32s); err != nil {
		return err
	}
	b := n.in[1]
	if b.constant != nil && len(b.constant.Dims) == 2 {
		bias := "nil"
		if n.bias != nil {
			bias = w.inLoad(n.bias) + ".data"
		}
		p := w.makeOnce(n, "matrix", fmt.Sprintf("newMatrixOf(%s, false, 1, %s)", w.inLoad(b), bias))
		return w.set(n, proto.Float, "dense(m, %s, %s, %s)", w.arg(n, n.in[0]), p, n.floor())
	}
	return w.set(n, proto.Float, "matmul(m, %s)", w.args(n, n.in...))
}

func gemm(w *writer, n *node) error {
	if err := alike(n, float32s); err != nil {
		return err
	}
	alpha, beta := n.float("alpha", 1), n.float("beta", 1)
	a, b := w.arg(n, n.in[0]), n.in[1]
	turnB := n.int("transB", 0) != 0
	bias, floor := "nil", "noFloor"
	var y string
	if b.static && n.has(2) && beta == 1 && n.in[2].constant != nil && b.constant != nil && vectorOf(n.in[2], columns(b.constant.Dims, turnB)) {
		bias, beta, floor = w.inLoad(n.in[2])+".data", 0, n.floor()
	}
	if b.static {
		if n.int("transA", 0) != 0 {
			a = "transpose(m, " + a + ", 1, 0)"
		}
		p := w.makeOnce(n, "matrix", fmt.Sprintf("newMatrixOf(%s, %v, %s, %s)", w.inLoad(b), turnB, number(alpha), bias))
		y = fmt.Sprintf("dense(m, %s, %s, %s)", a, p, floor)
	} else {
		y = fmt.Sprintf("gemm(m, %s, %s, %v, %v, %s)", a, w.arg(n, b), n.int("transA", 0) != 0, turnB, number(alpha))
	}
	if n.has(2) && beta != 0 {
		c := w.arg(n, n.in[2])
		if beta != 1 {
			c = fmt.Sprintf("scale(clone(m, %s), %s)", c, number(beta))
		}
		y = fmt.Sprintf("add(m, %s, %s)", y, c)
	}
	if n.relu && floor == "noFloor" {
		y = "relu(" + y + ")"
	}
	return w.set(n, proto.Float, "%s", y)
}

// columns are those of a matrix, which may be turned.
func columns(dims []int64, turned bool) int64 {
	if turned {
		return dims[0]
	}
	return dims[1]
}

func einsum(w *writer, n *node) error {
	if err := alike(n, float32s); err != nil {
		return err
	}
	return w.set(n, proto.Float, "einsum(m, %q, %s)", n.text("equation", ""), w.args(n, n.in...))
}

// window is how an operator's windows are said in Go.
func (n *node) window(size []int) string {
	var parts []string
	for _, p := range []struct {
		name  string
		value []int
	}{{"size", size}, {"strides", n.ints("strides")}, {"dilations", n.ints("dilations")}, {"pads", n.ints("pads")}} {
		if p.value != nil {
			parts = append(parts, p.name+": "+list(p.value))
		}
	}
	if auto := n.text("auto_pad", "NOTSET"); auto != "NOTSET" {
		parts = append(parts, fmt.Sprintf("auto: %q", auto))
	}
	if n.int("ceil_mode", 0) != 0 {
		parts = append(parts, "ceil: true")
	}
	return "window{" + strings.Join(parts, ", ") + "}"
}

// filters are a convolution's weights, laid out.
func (w *writer) filters(n *node, format string) string {
	groups := n.int("group", 1)
	if n.in[1].static && (!n.has(2) || n.in[2].static) {
		bias := "nil"
		if n.has(2) {
			bias = w.inLoad(n.in[2]) + ".data"
		}
		return w.makeOnce(n, "filters", fmt.Sprintf(format, w.inLoad(n.in[1]), groups, bias))
	}
	return fmt.Sprintf(format, w.arg(n, n.in[1]), groups, w.numbers(n, 2))
}

func conv(w *writer, n *node) error {
	if err := alike(n, float32s); err != nil {
		return err
	}
	f := w.filters(n, "newFilters(%[1]s, %[3]s, %[2]d)")
	return w.set(n, proto.Float, "conv(m, %s, %s, %s, %s)", w.arg(n, n.in[0]), f, n.window(nil), n.floor())
}

func convTranspose(w *writer, n *node) error {
	if err := alike(n, float32s); err != nil {
		return err
	}
	f := w.filters(n, "newFilters(turned(%[1]s, %[2]d), %[3]s, %[2]d)")
	return w.set(n, proto.Float, "convTranspose(m, %s, %s, %s, %s, %s)", w.arg(n, n.in[0]), f, n.window(nil), list(n.ints("output_padding")), list(n.ints("output_shape")))
}

func pool(w *writer, n *node) error {
	size := n.ints("kernel_shape")
	x := w.arg(n, n.in[0])
	if n.op == "MaxPool" {
		if err := kinds(n, 0, numbers...); err != nil {
			return err
		}
		return w.set(n, n.in[0].kind, "maxPool(m, %s, %s)", x, n.window(size))
	}
	if err := kinds(n, 0, float32s...); err != nil {
		return err
	}
	if n.op == "LpPool" {
		return w.set(n, proto.Float, "lpPool(m, %s, %s, %d)", x, n.window(size), n.int("p", 2))
	}
	return w.set(n, proto.Float, "averagePool(m, %s, %s, %v)", x, n.window(size), n.int("count_include_pad", 0) != 0)
}

func along(name string) func(*writer, *node) error {
	return func(w *writer, n *node) error {
		if err := kinds(n, 0, floats...); err != nil {
			return err
		}
		name := name
		if name == "softmax" && n.in[0].kind == proto.Double {
			name = "softmax64"
		}
		return w.set(n, n.in[0].kind, "%s(%s, %d)", name, w.over(n, n.in[0]), n.int("axis", -1))
	}
}

func lpNormalization(w *writer, n *node) error {
	if err := kinds(n, 0, floats...); err != nil {
		return err
	}
	return w.set(n, n.in[0].kind, "lpNormalization(%s, %d, %d)", w.over(n, n.in[0]), n.int("axis", -1), n.int("p", 2))
}

func batchNormalization(w *writer, n *node) error {
	if n.int("training_mode", 0) != 0 {
		return fmt.Errorf("training_mode is not exported")
	}
	if err := alike(n, floats); err != nil {
		return err
	}
	var stats []string
	for i := 1; i < 5; i++ {
		stats = append(stats, w.numbers(n, i))
	}
	return w.set(n, n.in[0].kind, "batchNorm(%s, %s, %s)", w.over(n, n.in[0]), strings.Join(stats, ", "), number(n.float("epsilon", 1e-5)))
}

func layerNormalization(w *writer, n *node) error {
	if err := alike(n, floats); err != nil {
		return err
	}
	return w.set(n, n.in[0].kind, "layerNorm(m, %s, at(%s), %s, %d, %s)", w.over(n, n.in[0]), w.arg(n, n.in[1]), w.optional(n, 2), n.int("axis", -1), number(n.float("epsilon", 1e-5)))
}

// optional is an input's address, or nil.
func (w *writer) optional(n *node, i int) string {
	if !n.has(i) {
		return "nil"
	}
	return "at(" + w.arg(n, n.in[i]) + ")"
}

func rmsNormalization(w *writer, n *node) error {
	if err := alike(n, floats); err != nil {
		return err
	}
	return w.set(n, n.in[0].kind, "rmsNorm(m, %s, at(%s), %d, %s)", w.over(n, n.in[0]), w.arg(n, n.in[1]), n.int("axis", -1), number(n.float("epsilon", 1e-5)))
}

func groups(of string) func(*writer, *node) error {
	return func(w *writer, n *node) error {
		if err := alike(n, floats); err != nil {
			return err
		}
		count := fmt.Sprint(n.int("num_groups", 1))
		if of != "" {
			count = fmt.Sprintf(of, w.numbers(n, 1))
		}
		return w.set(n, n.in[0].kind, "groupNorm(%s, %s, %s, %s, %s)", w.over(n, n.in[0]), w.numbers(n, 1), w.numbers(n, 2), count, number(n.float("epsilon", 1e-5)))
	}
}

func localResponse(w *writer, n *node) error {
	if err := kinds(n, 0, float32s...); err != nil {
		return err
	}
	return w.set(n, proto.Float, "localResponse(m, %s, %d, %s, %s, %s)", w.arg(n, n.in[0]), n.int("size", 1), number(n.float("alpha", 1e-4)), number(n.float("beta", 0.75)), number(n.float("bias", 1)))
}

func quantize(w *writer, n *node) error {
	if err := blocks(n); err != nil {
		return err
	}
	for i := range 2 {
		if err := kinds(n, i, float32s...); err != nil {
			return err
		}
	}
	kind := proto.Uint8
	if to := n.int("output_dtype", 0); to != 0 {
		kind = to
	}
	if n.has(2) {
		kind = n.in[2].kind
	}
	if !slices.Contains([]int{proto.Int8, proto.Uint8}, kind) {
		return fmt.Errorf("numbers of %s are not exported here", proto.KindNames[kind])
	}
	return w.set(n, kind, "quantize[%s](m, %s, %s, %s, %d)", Types[kind], w.arg(n, n.in[0]), w.numbers(n, 1), w.numbers(n, 2), n.int("axis", 1))
}

func dequantize(w *writer, n *node) error {
	if err := blocks(n); err != nil {
		return err
	}
	if err := kinds(n, 0, proto.Int8, proto.Uint8, proto.Int32); err != nil {
		return err
	}
	if err := kinds(n, 1, float32s...); err != nil {
		return err
	}
	return w.set(n, proto.Float, "dequantize(m, %s, %s, %s, %d)", w.arg(n, n.in[0]), w.numbers(n, 1), w.numbers(n, 2), n.int("axis", 1))
}

func blocks(n *node) error {
	if n.int("block_size", 0) != 0 {
		return fmt.Errorf("block_size is not exported")
	}
	if p := n.int("precision", 0); p != 0 {
		return fmt.Errorf("precision is not exported")
	}
	return nil
}
