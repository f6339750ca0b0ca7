package format

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute/dtypes"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/operation"
	"github.com/gradbook/gradbook/dl/layers"
)

// Create makes an empty network of a kind.
type Create func(kind network.Kind) *network.Network

// beside are numbers that networks have and files need not: states of random numbers.
const beside = 1 << 16

// within makes networks whose weights have not many more numbers than a file has, so that one
// that lies costs nothing.
func (create Create) within(numbers int) Create {
	return func(kind network.Kind) *network.Network {
		n := create(kind)
		n.Most = numbers + beside
		return n
	}
}

// construct makes a network of an architecture.
func (create Create) construct(a architecture) (*network.Network, error) {
	switch a.Class {
	case "Sequential":
		return create.stack(a.Config)
	case "Functional", "Model":
		return create.graph(a.Config)
	}
	return nil, fmt.Errorf("expected a model of class Sequential or Functional, got %q", a.Class)
}

func (create Create) stack(c map[string]any) (*network.Network, error) {
	m := create(network.Sequential)
	setName(m, c)
	var input *layers.Input
	all := list(c["layers"])
	for i, raw := range all {
		l, err := create.layer(raw)
		if err != nil {
			return nil, err
		}
		if in := network.AsInput(l.Config); in != nil && i == 0 {
			input = in
			continue
		}
		settle(m, l)
		m.Stack = append(m.Stack, l)
	}
	if len(m.Stack) == 0 {
		return nil, fmt.Errorf("expected at least one layer in model %q, got none", m.Name)
	}
	if input == nil {
		if shape, err := shapeOf(c["build_input_shape"]); err == nil && len(shape) > 0 {
			input = &layers.Input{Shape: shape}
		}
	}
	if input == nil {
		return m, network.NameLayers(network.Unique(m.Stack))
	}
	return m, m.BuildStack(*input)
}

func setName(m *network.Network, c map[string]any) {
	if name, ok := c["name"].(string); ok && name != "" {
		m.Name, m.Named = name, name != m.Kind.DefaultName()
	}
}

// constructLayer makes the layer that an object describes.
func (create Create) layer(raw any) (*network.Layer, error) {
	o, ok := raw.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("expected a layer as an object, got %v", raw)
	}
	class, _ := o["class_name"].(string)
	fields, _ := o["config"].(map[string]any)
	name, _ := fields["name"].(string)
	if n, ok := o["name"].(string); ok {
		name = n
	}
	fail := func(err error) error { return fmt.Errorf("layer %q (%s): %w", name, class, err) }
	var inner layers.Layer
	dtype, err := dtypeOf(fields["dtype"])
	if err != nil {
		return nil, fail(err)
	}
	module, _ := o["module"].(string)
	switch {
	case operation.InFile(module):
		inner, err = constructOperation(class, o, fields)
	case class == "InputLayer":
		inner, err = constructInput(fields)
	case class == "Sequential" || class == "Functional" || class == "Model":
		inner, err = create.construct(architecture{Class: class, Config: fields})
	default:
		inner, err = config.Decode[layers.Layer](config.Object{Class: class, Config: fields})
	}
	if err != nil {
		return nil, fail(err)
	}
	l := network.NewLayer(inner)
	l.Name = name
	if network.AsInput(inner) == nil {
		l.DType = dtype
	}
	if t, ok := fields["trainable"].(bool); ok && !t {
		l.Trainable = false
	}
	return l, nil
}

// constructOperation makes the layer of a function of keras.ops. What it is called with stands
// with its call, of which there is one; the tensors among it stay there.
func constructOperation(class string, o, fields map[string]any) (layers.Layer, error) {
	nodes := list(o["inbound_nodes"])
	if len(nodes) != 1 {
		return nil, fmt.Errorf("expected one call of a function of keras.ops, got %d", len(nodes))
	}
	call, _ := nodes[0].(map[string]any)
	kwargs, _ := call["kwargs"].(map[string]any)
	op, tensors, err := operation.FromKeras(class, fields, list(call["args"]), kwargs)
	if err != nil {
		return nil, err
	}
	call["args"], call["kwargs"] = tensors, map[string]any{}
	return op, nil
}

func constructInput(fields map[string]any) (layers.Layer, error) {
	raw := fields["batch_shape"]
	if raw == nil {
		raw = fields["batch_input_shape"] // of older files
	}
	shape, err := shapeOf(raw)
	if err != nil {
		return nil, err
	}
	in := layers.Input{Shape: shape}
	if b, ok := list(raw)[0].(float64); ok {
		in.BatchSize = int(b)
	}
	return in, nil
}

// shapeOf reads a shape with its batch.
func shapeOf(raw any) (layers.Shape, error) {
	all := list(raw)
	if len(all) == 0 {
		return nil, fmt.Errorf("expected a shape, got %v", raw)
	}
	shape := layers.Shape{}
	for _, d := range all[1:] {
		n, ok := d.(float64)
		if !ok {
			return nil, fmt.Errorf("expected a shape of known axes but for the batch, got %v: give the lengths by LoadConfig.Shapes", raw)
		}
		shape = append(shape, int(n))
	}
	return shape, nil
}

func list(raw any) []any {
	all, _ := raw.([]any)
	return all
}

// settle leaves out what a layer and its network have in common: the type that it computes in.
func settle(n *network.Network, l *network.Layer) {
	if l.DType == n.Policy || l.DType == dtypes.Float32 && n.Policy == dtypes.InvalidDType {
		l.DType = dtypes.InvalidDType
	}
}

// dtypeOf is the type in which a layer computes, which Keras gives as a name or as a policy.
// Types of whole numbers are those of what a layer returns, and not meant here.
func dtypeOf(raw any) (dtypes.DType, error) {
	if o, ok := raw.(map[string]any); ok {
		if class, _ := o["class_name"].(string); class != "DTypePolicy" {
			return dtypes.InvalidDType, fmt.Errorf("the dtype %s is not supported", class)
		}
		c, _ := o["config"].(map[string]any)
		raw = c["name"]
	}
	name, ok := raw.(string)
	if !ok || strings.HasPrefix(name, "int") || strings.HasPrefix(name, "uint") {
		return dtypes.InvalidDType, nil
	}
	t, err := network.Policy(name)
	if err != nil {
		return t, fmt.Errorf("dtype: %w", err)
	}
	return t, nil
}
