package onnx

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/internal/proto"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/onnx/internal/translate"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Config says what a file leaves open. Its zero value leaves it so.
type Config struct {
	// Shapes are shapes of inputs by their names, with all axes: an axis that the file leaves
	// open gets this length. For Load, the first axis is the batch, of any size; -1 leaves it
	// open.
	Shapes map[string][]int
	// Values are inputs that are always the same, by their names, for example a rate of
	// sampling. They are no inputs any more.
	Values map[string]*tensor.Tensor
}

// Load reads a file as a model of one layer, a Graph, that can be trained and predicts as
// other models do: the first axis of its inputs and outputs is the batch, other axes have
// known lengths, by the file or by a config, of which there may be one; outputs are floats.
// Its weights are the file's tensors of float32 with at least one axis. Open has none of
// these limits, but cannot train.
//
// What is not honoured is a *dl.FormatError that names the node, the operator and the
// attribute.
func Load(path string, config ...Config) (*dl.Model, error) {
	m, err := load(path, config)
	if err != nil {
		return nil, refused(path, err)
	}
	return m, nil
}

// refused says which file could not be read.
func refused(path string, err error) error {
	var missing *fs.PathError
	if errors.As(err, &missing) {
		return fmt.Errorf("onnx: %w", err)
	}
	return &dl.FormatError{Path: path, Err: fmt.Errorf("onnx: cannot load %s: %w", path, err)}
}

func one(config []Config) (Config, error) {
	if len(config) > 1 {
		return Config{}, fmt.Errorf("expected at most one Config, got %d", len(config))
	}
	if len(config) == 0 {
		return Config{}, nil
	}
	return config[0], nil
}

func load(path string, config []Config) (*dl.Model, error) {
	c, err := one(config)
	if err != nil {
		return nil, err
	}
	g, err := read(path)
	if err != nil {
		return nil, err
	}
	inputs, err := c.open(g)
	if err != nil {
		return nil, err
	}
	values, err := c.values()
	if err != nil {
		return nil, err
	}
	l := &Graph{Name: "onnx", graph: g, values: values}
	var in []*dl.Symbol
	for _, v := range inputs {
		var shape layers.Shape
		if len(v.Dims) == 0 {
			return nil, fmt.Errorf("input %q: expected a batch as its first axis, got a tensor without axes; give its number by Config.Values, or use onnx.Open", v.Name)
		}
		for _, d := range v.Dims[1:] {
			if d.Size < 0 {
				return nil, fmt.Errorf("input %q: expected axes of known length behind the batch, got %s; give its shape by Config.Shapes, or use onnx.Open", v.Name, shapeText(v))
			}
			shape = append(shape, int(d.Size))
		}
		l.inputs = append(l.inputs, v)
		in = append(in, dl.InputOf(layers.Input{Shape: shape, Name: v.Name}))
	}
	if len(in) == 0 {
		return nil, errors.New("expected at least one input, got none; onnx.Open runs graphs without")
	}
	out, err := dl.ApplyAll(l, in...)
	if err != nil {
		return nil, err
	}
	return dl.Functional(in, out)
}

// read reads a file, and those that it says its tensors are in.
func read(path string) (*translate.Graph, error) {
	m, err := proto.Open(path)
	if err != nil {
		return nil, err
	}
	return translate.New(m)
}

// values are copies of the config's: the caller may change its own.
func (c Config) values() (map[string]*tensor.Tensor, error) {
	all := make(map[string]*tensor.Tensor)
	for name, t := range c.Values {
		own, err := t.LocalClone()
		if err != nil {
			return nil, fmt.Errorf("Config.Values: %s: %w", strconv.Quote(name), err)
		}
		all[name] = own
	}
	return all, nil
}

// open are the inputs of a graph, with what a config says of them.
func (c Config) open(g *translate.Graph) ([]proto.Value, error) {
	var left []proto.Value
	names := make(map[string]bool)
	for _, v := range g.Inputs {
		names[v.Name] = true
		if v.Other != "" {
			return nil, fmt.Errorf("input %q: expected a tensor, got %s, which is not supported", v.Name, v.Other)
		}
		if v.Kind == 0 {
			return nil, fmt.Errorf("input %q: expected a type, got none", v.Name)
		}
		if value := c.Values[v.Name]; value != nil {
			if err := fits(v, value); err != nil {
				return nil, err
			}
			continue
		}
		shape, given := c.Shapes[v.Name]
		if given {
			if v.Ranked && len(shape) != len(v.Dims) {
				return nil, fmt.Errorf("input %q: expected a shape of %d axes, got %v", v.Name, len(v.Dims), shape)
			}
			dims := make([]proto.Dim, len(shape))
			for i, n := range shape {
				dims[i] = proto.Dim{Size: int64(n)}
				if n < 0 {
					dims[i].Size = -1
				}
				if v.Ranked && v.Dims[i].Size >= 0 && n != int(v.Dims[i].Size) {
					return nil, fmt.Errorf("input %q: the file says %s, which %v does not fit", v.Name, shapeText(v), shape)
				}
			}
			v.Dims, v.Ranked = dims, true
		}
		left = append(left, v)
	}
	for name := range c.Shapes {
		if !names[name] {
			return nil, fmt.Errorf("Config.Shapes: the file has no input %s", strconv.Quote(name))
		}
	}
	for name := range c.Values {
		if !names[name] {
			return nil, fmt.Errorf("Config.Values: the file has no input %s", strconv.Quote(name))
		}
	}
	return left, nil
}

// shapeText is a shape as the file has it: "float32 [N 3 H W]".
func shapeText(v proto.Value) string {
	text := translate.DType(v.Kind).String() + " ["
	if !v.Ranked {
		return text + "…]"
	}
	for i, d := range v.Dims {
		if i > 0 {
			text += " "
		}
		switch {
		case d.Size >= 0:
			text += strconv.FormatInt(d.Size, 10)
		case d.Name != "":
			text += d.Name
		default:
			text += "?"
		}
	}
	return text + "]"
}

// fits compares a tensor with what a file says of an input.
func fits(v proto.Value, t *tensor.Tensor) error {
	s := t.Shape()
	ok := s.DType == translate.DType(v.Kind) && (!v.Ranked || len(v.Dims) == s.Rank())
	for i := 0; ok && v.Ranked && i < len(v.Dims); i++ {
		ok = v.Dims[i].Size < 0 || int(v.Dims[i].Size) == s.Dimensions[i]
	}
	if !ok {
		return fmt.Errorf("input %q: expected %s, got %s %v", v.Name, shapeText(v), s.DType, s.Dimensions)
	}
	return nil
}
