package golang

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gradbook/gradbook/dl/internal/proto"
)

// Types are Go's names for the types of tensors.
var Types = map[int]string{
	proto.Float: "float32", proto.Double: "float64", proto.Int8: "int8", proto.Int16: "int16", proto.Int32: "int32",
	proto.Int64: "int64", proto.Uint8: "uint8", proto.Uint16: "uint16", proto.Uint32: "uint32", proto.Uint64: "uint64",
	proto.Bool: "bool",
}

// writer writes a graph's nodes as lines of two functions: load makes what depends on the
// weights alone, run the rest.
type writer struct {
	load, run strings.Builder
	weights   file
	fields    []field // what run needs of load
	constants map[*value]string
	made      map[string]string // matrices and filters by what they are made of
	wholes    map[*value]bool   // weights that are stored as int8
}

type field struct{ name, kind string }

// write writes all nodes.
func (w *writer) write(g *graph) error {
	for _, n := range g.nodes {
		for _, v := range n.inputs() {
			v.uses++
		}
	}
	for _, v := range g.outs {
		v.uses++
	}
	for _, v := range g.ins {
		v.root, v.ident = v, "in"+strconv.Itoa(slices.Index(g.ins, v))
		if Types[v.kind] == "" {
			return fmt.Errorf("input %q: numbers of %s are not exported", v.name, proto.KindNames[v.kind])
		}
	}
	for _, n := range g.nodes {
		for i, v := range n.out {
			v.root = v
			v.ident = strings.ToLower(n.op) + strconv.Itoa(n.order)
			if i > 0 {
				v.ident += string(rune('a' + i))
			}
			if v.name == "" {
				v.ident = "_"
			}
		}
		if err := operators[n.op].write(w, n); err != nil {
			return fmt.Errorf("%s: %w", n, err)
		}
		w.done(n)
	}
	return nil
}

// done gives back the arrays that nothing needs any more.
func (w *writer) done(n *node) {
	if n.out[0].static {
		return
	}
	for _, v := range n.inputs() {
		r := v.root
		if r == nil {
			continue
		}
		if r.uses--; r.uses == 0 && !r.input && !r.static && r.kind == proto.Float {
			w.line(n, "m.give(%s.data)", r.ident)
		}
	}
}

// line writes a line where a node belongs.
func (w *writer) line(n *node, format string, args ...any) {
	to := &w.run
	if n.out[0].static {
		to = &w.load
	}
	fmt.Fprintf(to, "\t"+format+"\n", args...)
}

// set says what an operator's one result is.
func (w *writer) set(n *node, kind int, format string, args ...any) error {
	if Types[kind] == "" {
		return fmt.Errorf("numbers of %s are not exported", proto.KindNames[kind])
	}
	n.out[0].kind = kind
	if slices.ContainsFunc(n.out[1:], func(v *value) bool { return v.name != "" }) {
		return fmt.Errorf("its output %q is not exported", n.out[1].name)
	}
	w.line(n, "%s := %s", n.out[0].ident, fmt.Sprintf(format, args...))
	return nil
}

// shares says that a result is the same array as an input.
func shares(n *node, v *value) {
	if v.root == nil || n.out[0].static {
		return
	}
	out := n.out[0]
	out.root = v.root
	v.root.uses += out.uses
}

// arg is how a node calls a value.
func (w *writer) arg(n *node, v *value) string {
	if v.constant != nil {
		return w.constant(n, v)
	}
	if v.static && !n.out[0].static {
		w.field(v.ident, "tensor["+Types[v.kind]+"]")
		return "w." + v.ident
	}
	return v.ident
}

func (w *writer) args(n *node, vs ...*value) string {
	var all []string
	for _, v := range vs {
		all = append(all, w.arg(n, v))
	}
	return strings.Join(all, ", ")
}

// over is an input that a node may write over: a copy, if something else needs it.
func (w *writer) over(n *node, v *value) string {
	if v.static || v.input || v.root.input || v.root.static || v.root.uses > 1 {
		return "clone(m, " + w.arg(n, v) + ")"
	}
	shares(n, v)
	return v.ident
}

// numbers are a value's numbers, or nil.
func (w *writer) numbers(n *node, i int) string {
	if !n.has(i) {
		return "nil"
	}
	return w.arg(n, n.in[i]) + ".data"
}

// field has load hand something on to run.
func (w *writer) field(name, kind string) {
	if !slices.ContainsFunc(w.fields, func(f field) bool { return f.name == name }) {
		w.fields = append(w.fields, field{name, kind})
	}
}

// written is how many numbers a constant may have to be written in the source.
const written = 16

// constant is how a node calls a weight.
func (w *writer) constant(n *node, v *value) string {
	if v.kind != proto.Float && len(v.constant.Raw) <= 8*written || len(v.constant.Raw) <= v.constant.Width() {
		if s, ok := literal(v); ok {
			return s
		}
	}
	name, ok := w.constants[v]
	if !ok {
		name = "w" + strconv.Itoa(len(w.constants)+1)
		w.constants[v] = name
		fmt.Fprintf(&w.load, "\t%s := %s\n", name, w.weights.add(v, w.wholes[v]))
	}
	if n.out[0].static {
		return name
	}
	w.field(name, "tensor["+Types[v.kind]+"]")
	return "w." + name
}

// literal is a constant in Go.
func literal(v *value) (string, bool) {
	var numbers []string
	if whole, ok := v.whole(); ok {
		for _, i := range whole {
			numbers = append(numbers, strconv.Itoa(i))
		}
	} else if raw := v.constant.Raw; v.kind == proto.Float && len(raw) == 4 {
		f := v.floats()[0]
		if f != f || f-f != 0 { // Go has no words for them
			return "", false
		}
		numbers = append(numbers, strconv.FormatFloat(float64(f), 'g', -1, 32))
	} else {
		return "", false
	}
	return fmt.Sprintf("tensor[%s]{[]int{%s}, []%s{%s}}", Types[v.kind], dims(v.constant.Dims), Types[v.kind], strings.Join(numbers, ", ")), true
}

func dims[T int | int64](d []T) string {
	var all []string
	for _, v := range d {
		all = append(all, strconv.Itoa(int(v)))
	}
	return strings.Join(all, ", ")
}

// list is []int of an attribute.
func list(v []int) string {
	if v == nil {
		return "nil"
	}
	return "[]int{" + dims(v) + "}"
}

// whole are an input's numbers as []int.
func (w *writer) whole(n *node, i int) (string, error) {
	if !n.has(i) {
		return "nil", nil
	}
	v := n.in[i]
	if known, ok := v.whole(); ok && len(known) <= written {
		return list(known), nil
	}
	switch v.kind {
	case proto.Int64:
		return "whole(" + w.arg(n, v) + ")", nil
	case proto.Int32:
		return "whole(cast[int64](m, " + w.arg(n, v) + "))", nil
	}
	return "", fmt.Errorf("expected whole numbers, got %s", proto.KindNames[v.kind])
}

// kinds checks the types of inputs.
func kinds(n *node, i int, allowed ...int) error {
	if !n.has(i) {
		return fmt.Errorf("expected an input %d", i)
	}
	k := n.in[i].kind
	if !slices.Contains(allowed, k) {
		return fmt.Errorf("numbers of %s are not exported here", proto.KindNames[k])
	}
	return nil
}

var (
	float32s = []int{proto.Float}
	floats   = []int{proto.Float, proto.Double}
	numbers  = []int{proto.Float, proto.Double, proto.Int8, proto.Int16, proto.Int32, proto.Int64, proto.Uint8, proto.Uint16, proto.Uint32, proto.Uint64}
	all      = append([]int{proto.Bool}, numbers...)
)
