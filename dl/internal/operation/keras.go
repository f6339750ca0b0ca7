package operation

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/dl/internal/config"
)

// InFile says whether a module of Keras's is one of keras.ops, whose classes are operations:
// its Add is not the layer Add.
func InFile(module string) bool {
	return strings.HasPrefix(module, "keras.src.ops") || strings.HasPrefix(module, "keras.ops")
}

// setting puts a value of a file into an operation; ok is false if it cannot mean it.
type setting func(o *Operation, v any) (ok bool)

// renamed are classes whose operations go by another name here.
var renamed = map[string]string{"true_divide": "divide", "abs": "absolute", "tile": "tile_axes", "pad": "pad_axes"}

// named is a setting by its name in files.
type named struct {
	key string
	set setting
}

// settings are what a file says of each operation, beside its inputs, in the order in which they
// come into its lists. What is not here has none.
var settings = map[string][]named{
	"reshape": {{"newshape", ints}}, "transpose": {{"axes", ints}}, "squeeze": {{"axis", ints}}, "expand_dims": {{"axis", ints}},
	"concatenate": {{"axis", ints}}, "stack": {{"axis", ints}}, "einsum": {{"subscripts", text}}, "softmax": {{"axis", ints}},
	"log_softmax": {{"axis", ints}}, "leaky_relu": {{"negative_slope", number}}, "cast": {{"dtype", text}},
	"clip": {{"x_min", number}, {"x_max", number}}, "take": {{"axis", ints}}, "flip": {{"axis", ints}},
	"cumsum": {{"axis", ints}, {"dtype", none}}, "swapaxes": {{"axis1", ints}, {"axis2", ints}},
	"moveaxis": {{"source", ints}, {"destination", ints}}, "broadcast_to": {{"shape", ints}},
	"argmax": {{"axis", ints}, {"keepdims", off}}, "argmin": {{"axis", ints}, {"keepdims", off}}, "tile_axes": {{"repeats", ints}},
	"repeat": {{"repeats", ints}, {"axis", ints}}, "gelu": {{"approximate", flag}}, "elu": {{"alpha", is(1)}},
	"split":    {{"indices_or_sections", ints}, {"axis", number}},
	"pad_axes": {{"pad_width", pads}, {"mode", isText("constant")}}, "normalize": {{"axis", ints}, {"order", is(2)}, {"epsilon", none}},
	"norm":    {{"ord", none}, {"axis", ints}, {"keepdims", flag}},
	"one_hot": {{"num_classes", ints}, {"axis", is(-1)}, {"dtype", isText("float32")}, {"sparse", off}},
	"tril":    {{"k", is(0)}}, "triu": {{"k", is(0)}}, "round": {{"decimals", is(0)}},
}

func init() {
	for _, name := range []string{"sum", "mean", "prod", "max", "min", "var", "std", "logsumexp", "any", "all"} {
		settings[name] = []named{{"axis", ints}, {"keepdims", flag}, {"initial", none}, {"dtype", none}}
	}
}

func ints(o *Operation, v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case float64:
		o.Ints = append(o.Ints, int(v))
		return v == float64(int(v))
	case []any:
		for _, x := range v {
			if x == nil {
				x = -1.0
			}
			if !ints(o, x) {
				return false
			}
		}
		return true
	}
	return false
}

func number(o *Operation, v any) bool {
	f, ok := v.(float64)
	o.Numbers = append(o.Numbers, f)
	return ok
}

func text(o *Operation, v any) bool {
	s, ok := v.(string)
	o.Text = s
	return ok
}

func flag(o *Operation, v any) bool {
	b, ok := v.(bool)
	o.Flag = b
	return ok || v == nil
}

func none(_ *Operation, v any) bool { return v == nil }
func off(_ *Operation, v any) bool  { return v == nil || v == false }

func is(n float64) setting {
	return func(_ *Operation, v any) bool { return v == nil || v == n }
}

func isText(s string) setting {
	return func(_ *Operation, v any) bool { return v == nil || v == s }
}

// pads are two amounts for each axis.
func pads(o *Operation, v any) bool {
	all, ok := v.([]any)
	for _, axis := range all {
		two, pair := axis.([]any)
		ok = ok && pair && len(two) == 2 && ints(o, two)
	}
	return ok
}

// FromKeras reads an operation of a file of Keras: its class, its configuration, and what it
// is called with. It returns the arguments that are tensors of the graph.
func FromKeras(class string, c map[string]any, args []any, kwargs map[string]any) (o Operation, tensors []any, err error) {
	name := config.KerasSnake(class)
	if r, ok := renamed[name]; ok {
		name = r
	}
	o.Op = name
	if _, err := o.function(); err != nil {
		return o, nil, fmt.Errorf("keras.ops' %s is not supported", class)
	}
	left := maps.Clone(c)
	delete(left, "name")
	for _, s := range settings[name] {
		v, ok := left[s.key]
		if ok && !s.set(&o, v) {
			return o, nil, fmt.Errorf("keras.ops' %s with %s = %v is not supported", class, s.key, v)
		}
		delete(left, s.key)
	}
	for _, key := range slices.Sorted(maps.Keys(left)) {
		if key != "dtype" || left[key] != nil {
			return o, nil, fmt.Errorf("keras.ops' %s with %s = %v is not supported", class, key, left[key])
		}
	}
	for key, v := range kwargs {
		if v != nil && v != false {
			return o, nil, fmt.Errorf("keras.ops' %s with the argument %s = %v is not supported", class, key, v)
		}
	}
	if name == "get_item" {
		if len(args) != 2 {
			return o, nil, fmt.Errorf("expected a tensor and what to take of it, got %d arguments", len(args))
		}
		if o.Ints, err = places(args[1]); err != nil {
			return o, nil, err
		}
		args = args[:1]
	}
	tensors, constants := arguments(args)
	return o, tensors, o.fix(constants)
}

// arguments tells the tensors that an operation is called with from its constants.
func arguments(args []any) (tensors []any, constants []Fixed) {
	at := 0
	var visit func(v any)
	visit = func(v any) {
		switch v := v.(type) {
		case []any:
			if k, ok := constantOf(v); ok {
				k.At = at
				constants = append(constants, k)
				at++
				return
			}
			for _, x := range v {
				visit(x)
			}
		default:
			if k, ok := constantOf(v); ok {
				k.At = at
				constants = append(constants, k)
			} else {
				tensors = append(tensors, v)
			}
			at++
		}
	}
	for _, a := range args {
		visit(a)
	}
	return tensors, constants
}

// constantOf reads numbers: one, a list, or an array of a file.
func constantOf(v any) (Fixed, bool) {
	weak := true
	if object, ok := v.(map[string]any); ok {
		class, _ := object["class_name"].(string)
		if class != "__numpy__" && class != "__tensor__" {
			return Fixed{}, false
		}
		c, _ := object["config"].(map[string]any)
		v, weak = c["value"], false
	}
	k := Fixed{Weak: weak}
	return k, k.read(v, 0)
}

func (k *Fixed) read(v any, depth int) bool {
	switch v := v.(type) {
	case float64:
		k.Values = append(k.Values, v)
		return depth == len(k.Dims)
	case bool:
		n := 0.0
		if v {
			n = 1
		}
		k.Values = append(k.Values, n)
		return depth == len(k.Dims)
	case []any:
		if depth == len(k.Dims) {
			if len(k.Values) > 0 {
				return false
			}
			k.Dims = append(k.Dims, len(v))
		}
		if k.Dims[depth] != len(v) || len(v) == 0 {
			return false
		}
		for _, x := range v {
			if !k.read(x, depth+1) {
				return false
			}
		}
		return true
	}
	return false
}

// The kinds of what an index takes of an axis.
const (
	takeOne = iota
	takeRange
	takeRest // an ellipsis
	newAxis
)

// open is a bound that an index leaves open.
const open = 1 << 30

// places reads an index: four numbers for each axis, its kind, start, stop and step.
func places(raw any) ([]int, error) {
	all, ok := raw.([]any)
	if !ok {
		all = []any{raw}
	}
	var out []int
	for _, v := range all {
		switch v := v.(type) {
		case nil:
			out = append(out, newAxis, 0, 0, 0)
			continue
		case float64:
			out = append(out, takeOne, int(v), 0, 0)
			continue
		case map[string]any:
			c, _ := v["config"].(map[string]any)
			switch v["class_name"] {
			case "__ellipsis__":
				out = append(out, takeRest, 0, 0, 0)
				continue
			case "__slice__":
				bound := func(key string, def int) int {
					if f, ok := c[key].(float64); ok {
						return int(f)
					}
					return def
				}
				if step := bound("step", 1); step >= 1 {
					out = append(out, takeRange, bound("start", 0), bound("stop", open), step)
					continue
				}
			}
		}
		return nil, fmt.Errorf("taking %v of a tensor is not supported", v)
	}
	return out, nil
}
