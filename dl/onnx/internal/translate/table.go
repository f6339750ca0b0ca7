package translate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"

	"github.com/gradbook/gradbook/dl/internal/proto"
)

// operator is what is honoured of one of ONNX's operators. What a node says beyond it is
// refused.
type operator struct {
	// Attributes are the names of those that the rule honours, or that change nothing here,
	// with blanks between them.
	Attributes string
	// Inputs is the most inputs that the rule reads; unlimited is no limit. Outputs is the most
	// outputs that it returns; 0 is one.
	Inputs, Outputs int
	// Types are those of numbers that its first input may have: a set of them, all if it is
	// empty.
	Types string
	// Rule returns the outputs.
	Rule func(c *call) []*value
	// Inner is set where the rule runs other nodes, or takes sequences apart, and is not to
	// be computed ahead as a whole.
	Inner bool
}

// unlimited is no limit to a node's inputs or outputs.
const unlimited = 1 << 30

// The sets of types.
const (
	floating = "float"
	integers = "integer"
	signed   = "signed"  // floats and signed integers
	numeric  = "number"  // floats and integers
	booleans = "boolean" // true and false
)

// of says whether a type is in a set.
func of(d dtypes.DType, set string) bool {
	switch set {
	case floating:
		return d.IsFloat()
	case integers:
		return d.IsInt()
	case signed:
		return d.IsFloat() || d.IsInt() && !d.IsUnsigned()
	case numeric:
		return d.IsFloat() || d.IsInt()
	case booleans:
		return d == dtypes.Bool
	}
	return true
}

// key is an operator's name in the table.
func key(domain, op string) string {
	if domain == "" {
		return op
	}
	return domain + "::" + op
}

// table are the operators by name. Each file adds those that it has the rules of.
//
// Source: https://onnx.ai/onnx/operators/
var table = make(map[string]operator)

func add(operators map[string]operator) {
	for name, op := range operators {
		if _, ok := table[name]; ok {
			panic("translate: operator " + name + " is there twice")
		}
		if op.Outputs == 0 {
			op.Outputs = 1
		}
		table[name] = op
	}
}

// Operators are the names of the operators that are honoured.
func Operators() []string { return slices.Sorted(maps.Keys(table)) }

// known reports what a node asks for beyond what its operator honours.
func known(n *proto.Node, opset int) error {
	at := fmt.Sprintf("node %q", n.Name)
	if n.Name == "" && len(n.Out) > 0 {
		at = fmt.Sprintf("the node of %q", n.Out[0])
	}
	op, ok := table[key(n.Domain, n.Op)]
	if !ok && n.Domain != "" {
		return fmt.Errorf("%s: the operator %s of %s is not supported", at, n.Op, n.Domain)
	}
	if !ok || opset < oldestOpset && n.Domain == "" && !slices.Contains(unchanged, n.Op) {
		return fmt.Errorf("%s: the operator %s of opset %d is not supported", at, n.Op, opset)
	}
	for name, a := range n.Attributes {
		if !slices.Contains(strings.Fields(op.Attributes), name) && !silent(name, a) {
			return fmt.Errorf("%s: the attribute %s of operator %s is not supported", at, name, n.Op)
		}
	}
	if len(n.In) > op.Inputs {
		return fmt.Errorf("%s: operator %s has at most %d inputs, got %d", at, n.Op, op.Inputs, len(n.In))
	}
	for i, name := range n.Out {
		if i >= op.Outputs && name != "" {
			return fmt.Errorf("%s: the output %d of operator %s (%q) is not supported", at, i, n.Op, name)
		}
	}
	return nil
}

// unchanged are operators that were in the first opset what they are today.
var unchanged = []string{"Not", "Identity", "Transpose", "Shape", "Size", "Squeeze", "Unsqueeze", "Constant", "Softsign", "Where"}

// silent says whether an attribute changes nothing at inference: what the operators of
// opset 6 said of themselves.
func silent(name string, a proto.Attribute) bool {
	return name == "consumed_inputs" || name == "is_test" && a.I == 1
}

// accept compares the type of a node's first input with those of its operator.
func (op operator) accept(c *call) {
	if op.Types == "" || !c.has(0) || c.in[0].isList() {
		return
	}
	d := c.in[0].shape().DType
	if !of(d, op.Types) {
		panic(fmt.Errorf("expected a tensor of %s as input %q, got one of %s", op.Types, c.In[0], d))
	}
}
