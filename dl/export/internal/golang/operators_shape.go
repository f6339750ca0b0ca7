package golang

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/gradbook/gradbook/dl/internal/proto"
)

var shaping = map[string]operator{
	"Transpose": {write: transpose}, "Reshape": {write: reshape}, "Flatten": {write: flatten},
	"Squeeze": {write: axesOf("squeeze")}, "Unsqueeze": {write: axesOf("unsqueeze")},
	"Shape": {write: shape}, "Size": {write: apart("sizeOf(%s)", all, proto.Int64)},
	"Expand": {write: expand("expand")}, "Tile": {write: expand("tile")},
	"Concat": {write: concat}, "Split": {write: split}, "Slice": {write: slice, since: 10}, "Pad": {write: pad, since: 11},
	"Gather": {write: gather("gather", "axis", 0)}, "GatherElements": {write: gather("gatherElements", "axis", 0)},
	"GatherND": {write: gather("gatherND", "batch_dims", 0)}, "OneHot": {write: oneHot}, "Range": {write: sequence},
	"ConstantOfShape": {write: full}, "Resize": {write: resize, since: 11},
}

func transpose(w *writer, n *node) error {
	if err := kinds(n, 0, all...); err != nil {
		return err
	}
	perm := n.ints("perm")
	text := ""
	if perm != nil {
		text = ", " + dims(perm)
	}
	return w.set(n, n.in[0].kind, "transpose(m, %s%s)", w.arg(n, n.in[0]), text)
}

// int64s is an input as a tensor of int64.
func (w *writer) int64s(n *node, i int) (string, error) {
	if err := kinds(n, i, proto.Int64); err != nil {
		return "", err
	}
	return w.arg(n, n.in[i]), nil
}

func reshape(w *writer, n *node) error {
	if err := kinds(n, 0, all...); err != nil {
		return err
	}
	to, err := w.int64s(n, 1)
	if err != nil {
		return err
	}
	shares(n, n.in[0])
	return w.set(n, n.in[0].kind, "reshape(%s, %s, %v)", w.arg(n, n.in[0]), to, n.int("allowzero", 0) != 0)
}

func flatten(w *writer, n *node) error {
	if err := kinds(n, 0, all...); err != nil {
		return err
	}
	shares(n, n.in[0])
	return w.set(n, n.in[0].kind, "flatten(%s, %d)", w.arg(n, n.in[0]), n.int("axis", 1))
}

func axesOf(name string) func(*writer, *node) error {
	return func(w *writer, n *node) error {
		if err := kinds(n, 0, all...); err != nil {
			return err
		}
		axes, err := w.whole(n, 1)
		if err != nil {
			return err
		}
		if a := n.ints("axes"); a != nil { // until opset 13
			axes = list(a)
		}
		shares(n, n.in[0])
		return w.set(n, n.in[0].kind, "%s(%s, %s...)", name, w.arg(n, n.in[0]), axes)
	}
}

func shape(w *writer, n *node) error {
	if err := kinds(n, 0, all...); err != nil {
		return err
	}
	end := "len(" + w.arg(n, n.in[0]) + ".shape)"
	if _, ok := n.attrs["end"]; ok {
		end = fmt.Sprint(n.int("end", 0))
	}
	return w.set(n, proto.Int64, "shapeOf(%s, %d, %s)", w.arg(n, n.in[0]), n.int("start", 0), end)
}

func expand(name string) func(*writer, *node) error {
	return func(w *writer, n *node) error {
		if err := kinds(n, 0, all...); err != nil {
			return err
		}
		to, err := w.int64s(n, 1)
		if err != nil {
			return err
		}
		return w.set(n, n.in[0].kind, "%s(m, %s, %s)", name, w.arg(n, n.in[0]), to)
	}
}

func concat(w *writer, n *node) error {
	if err := alike(n, all); err != nil {
		return err
	}
	return w.set(n, n.in[0].kind, "concat(m, %d, %s)", n.int("axis", 0), w.args(n, n.in...))
}

func split(w *writer, n *node) error {
	if err := kinds(n, 0, all...); err != nil {
		return err
	}
	axis := n.int("axis", 0)
	x := w.arg(n, n.in[0])
	lengths, err := w.whole(n, 1)
	if err != nil {
		return err
	}
	if a := n.ints("split"); a != nil { // until opset 13
		lengths = list(a)
	}
	if lengths == "nil" {
		lengths = fmt.Sprintf("equalParts(%s.shape[axisOf(%d, len(%s.shape))], %d)", x, axis, x, n.int("num_outputs", len(n.out)))
	}
	parts := fmt.Sprintf("parts%d", n.order)
	w.line(n, "%s := split(m, %s, %d, %s)", parts, x, axis, lengths)
	for i, v := range n.out {
		v.kind = n.in[0].kind
		if v.name != "" {
			w.line(n, "%s := %s[%d]", v.ident, parts, i)
		}
	}
	return nil
}

func slice(w *writer, n *node) error {
	if err := kinds(n, 0, all...); err != nil {
		return err
	}
	var parts []string
	for i := 1; i <= 4; i++ {
		p, err := w.whole(n, i)
		if err != nil {
			return err
		}
		parts = append(parts, p)
	}
	return w.set(n, n.in[0].kind, "slice(m, %s, %s)", w.arg(n, n.in[0]), strings.Join(parts, ", "))
}

func pad(w *writer, n *node) error {
	if err := kinds(n, 0, all...); err != nil {
		return err
	}
	mode := n.text("mode", "constant")
	pads, err := w.whole(n, 1)
	if err != nil {
		return err
	}
	axes, err := w.whole(n, 3)
	if err != nil {
		return err
	}
	value := zero(n.in[0].kind)
	if n.has(2) {
		value = w.numbers(n, 2) + "[0]"
	}
	return w.set(n, n.in[0].kind, "pad(m, %s, %s, %s, %q, %s)", w.arg(n, n.in[0]), pads, axes, mode, value)
}

// zero is the value of nothing.
func zero(kind int) string {
	if kind == proto.Bool {
		return "false"
	}
	return Types[kind] + "(0)"
}

func gather(name, attr string, otherwise int) func(*writer, *node) error {
	return func(w *writer, n *node) error {
		if err := kinds(n, 0, all...); err != nil {
			return err
		}
		if err := kinds(n, 1, proto.Int32, proto.Int64); err != nil {
			return err
		}
		return w.set(n, n.in[0].kind, "%s(m, %s, %d)", name, w.args(n, n.in...), n.int(attr, otherwise))
	}
}

func oneHot(w *writer, n *node) error {
	for i := range 2 {
		if err := kinds(n, i, numbers...); err != nil {
			return err
		}
	}
	if err := kinds(n, 2, all...); err != nil {
		return err
	}
	values := w.numbers(n, 2)
	return w.set(n, n.in[2].kind, "oneHot(m, %s, int(%s[0]), %s[0], %s[1], %d)", w.arg(n, n.in[0]), w.numbers(n, 1), values, values, n.int("axis", -1))
}

func sequence(w *writer, n *node) error {
	if err := alike(n, numbers); err != nil {
		return err
	}
	return w.set(n, n.in[0].kind, "sequence(%s)", w.args(n, n.in...))
}

func full(w *writer, n *node) error {
	to, err := w.int64s(n, 0)
	if err != nil {
		return err
	}
	kind, value := proto.Float, "float32(0)"
	if a, ok := n.attrs["value"]; ok {
		v := &value1{a.T}
		if kind, value, err = v.literal(); err != nil {
			return err
		}
	}
	return w.set(n, kind, "full(m, %s, %s)", to, value)
}

// value1 is a tensor of one number.
type value1 struct{ t *proto.Tensor }

func (v value1) literal() (kind int, text string, err error) {
	c := &value{kind: v.t.Kind, constant: &proto.Tensor{Kind: v.t.Kind, Raw: v.t.Raw}}
	switch {
	case v.t.Kind == proto.Bool && len(v.t.Raw) == 1:
		return v.t.Kind, fmt.Sprint(v.t.Raw[0] != 0), nil
	case v.t.Kind == proto.Float && len(v.t.Raw) == 4 && !math.IsNaN(float64(c.floats()[0])) && !math.IsInf(float64(c.floats()[0]), 0):
		return v.t.Kind, "float32(" + number(float64(c.floats()[0])) + ")", nil
	}
	if whole, ok := c.whole(); ok && len(whole) == 1 {
		return v.t.Kind, fmt.Sprintf("%s(%d)", Types[v.t.Kind], whole[0]), nil
	}
	return 0, "", fmt.Errorf("a value of %s is not exported", proto.KindNames[v.t.Kind])
}

func resize(w *writer, n *node) error {
	if err := kinds(n, 0, float32s...); err != nil {
		return err
	}
	transform := n.text("coordinate_transformation_mode", "half_pixel")
	switch {
	case transform == "tf_crop_and_resize":
		return errors.New("tf_crop_and_resize is not exported")
	case n.int("antialias", 0) != 0:
		return errors.New("antialias is not exported")
	case n.text("keep_aspect_ratio_policy", "stretch") != "stretch":
		return errors.New("keep_aspect_ratio_policy is not exported")
	}
	sizes, err := w.whole(n, 3)
	if err != nil {
		return err
	}
	r := fmt.Sprintf("resizing{mode: %q, transform: %q, nearest: %q, cubic: %s, exclude: %v}", n.text("mode", "nearest"), transform,
		n.text("nearest_mode", "round_prefer_floor"), number(n.float("cubic_coeff_a", -0.75)), n.int("exclude_outside", 0) != 0)
	return w.set(n, proto.Float, "resizeTo(m, %s, %s, %s, %s, %s)", w.arg(n, n.in[0]), r, w.numbers(n, 2), sizes, list(n.ints("axes")))
}
