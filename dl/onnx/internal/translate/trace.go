package translate

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/proto"
	"github.com/gradbook/gradbook/dl/memory"
)

// Source gives a translation what stands behind a graph's names.
type Source struct {
	// Input is the node of an input.
	Input func(name string) *graph.Node
	// Known are inputs whose numbers are known.
	Known map[string]*tensors.Tensor
	// Weight is the node of one of the file's tensors with its axes in another order, nil
	// for the file's own; the result may be nil, and the tensor becomes part of the graph.
	Weight func(t *proto.Tensor, axes []int) *graph.Node
	// Trained says that weights may change, so that nothing is computed of them ahead, and
	// that gradients are wanted.
	Trained bool
	// Answers are the numbers that earlier translations asked for, in turn.
	Answers []*tensors.Tensor
	// Asks says that the caller can answer.
	Asks bool
}

// Asked says that operators need numbers to go on.
type Asked struct {
	// Input is the name of the model's input that is needed, if it is one.
	Input string
	// Node computes what is needed otherwise.
	Node *graph.Node
}

// trace is one translation.
type trace struct {
	*Graph
	Source
	g       *graph.Graph
	answers int // of those in Source that are used
	inputs  map[*value]string
	folding bool // everything is known, and is being computed
	trying  int  // both ways of a branch, of which one may not fit: nothing is asked
	nodes   int  // that were translated
	depth   int  // of subgraphs and functions
	steps   int  // of loops
}

// NodeError says which node of a graph could not be translated.
type NodeError struct {
	// Node is its name in the file, Op its operator.
	Node, Op string
	Err      error
}

// Error names the node and its operator.
func (e *NodeError) Error() string { return fmt.Sprintf("node %q (%s): %v", e.Node, e.Op, e.Err) }

// Unwrap returns what is wrong.
func (e *NodeError) Unwrap() error { return e.Err }

// Translate adds the model's operators to a graph and returns its outputs, or what is
// asked for. It panics with an error.
func (g *Graph) Translate(to *graph.Graph, s Source) (out []*graph.Node, asked *Asked) {
	t := &trace{Graph: g, Source: s, g: to, inputs: make(map[*value]string)}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Asked:
			asked = r
		default:
			panic(r)
		}
	}()
	top := &scope{values: make(map[string]*value), opsets: g.opsets}
	for _, v := range g.Inputs {
		in := &value{known: s.Known[v.Name]}
		if in.known == nil {
			in.node = s.Input(v.Name)
		}
		t.inputs[in] = v.Name
		top.values[v.Name] = in
	}
	for _, p := range g.Weights() {
		top.values[p.Name] = &value{weight: p.Name, stated: shapes.Make(DType(p.Kind), narrow(p.Dims)...)}
	}
	for _, v := range t.body(g.graph, top) {
		out = append(out, t.node(v))
	}
	return out, nil
}

// scope are the names that nodes see.
type scope struct {
	values  map[string]*value
	outer   *scope
	opsets  map[string]int
	around  map[string]proto.Attribute // of the function that is being called
	missing map[string]bool            // names of optional inputs that a function did not get
	uses    map[string]int             // how often a graph's names are needed
}

// count adds how often names are needed by a graph's nodes, by those of graphs in it, and outside.
func count(p *proto.Graph, uses map[string]int) map[string]int {
	for i := range p.Nodes {
		for _, name := range p.Nodes[i].In {
			uses[name]++
		}
		for _, a := range p.Nodes[i].Attributes {
			if a.G != nil {
				count(a.G, uses)
			}
		}
	}
	for _, v := range p.Outputs {
		uses[v.Name] += 2
	}
	return uses
}

func (s *scope) find(name string) (*value, bool) {
	for ; s != nil; s = s.outer {
		if v, ok := s.values[name]; ok {
			return v, true
		}
		if s.missing[name] {
			return nil, true
		}
	}
	return nil, false
}

// body runs a graph's nodes and returns its outputs.
func (t *trace) body(p *proto.Graph, s *scope) []*value {
	if p != t.graph {
		for i := range p.Initializers {
			s.values[p.Initializers[i].Name] = &value{known: Tensor(&p.Initializers[i])}
		}
	}
	s.uses = count(p, make(map[string]int))
	for i := range p.Nodes {
		t.run(&p.Nodes[i], s)
	}
	var out []*value
	for _, v := range p.Outputs {
		found, ok := s.find(v.Name)
		if !ok || found == nil {
			panic(fmt.Errorf("output %q: no node computes it", v.Name))
		}
		out = append(out, found)
	}
	return out
}

// inner are the outputs of a graph in an attribute, for inputs.
func (t *trace) inner(p *proto.Graph, around *scope, in ...*value) []*value {
	t.depth++
	defer func() { t.depth-- }()
	s := &scope{values: make(map[string]*value), outer: around, opsets: around.opsets, around: around.around}
	for i, v := range p.Inputs {
		if i >= len(in) {
			panic(fmt.Errorf("expected a graph of %d inputs, got one of %d", len(in), len(p.Inputs)))
		}
		s.values[v.Name] = in[i]
	}
	return t.body(p, s)
}

// deepest is how far functions may call each other.
const deepest = 64

// run adds one node.
func (t *trace) run(n *proto.Node, s *scope) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Asked, *NodeError:
			panic(r)
		case runtime.Error:
			panic(&NodeError{n.Name, n.Op, fmt.Errorf("its inputs or attributes do not fit each other (%w)", r)})
		case error:
			panic(&NodeError{n.Name, n.Op, firstLine(r)})
		default:
			panic(&NodeError{n.Name, n.Op, fmt.Errorf("%v", r)})
		}
	}()
	if t.nodes++; t.nodes > most {
		panic(fmt.Errorf("its graph has more than %d nodes when functions and loops are taken apart", most))
	}
	c := &call{trace: t, Node: n, scope: s, opset: s.opsets[""]}
	for _, name := range n.In {
		if name == "" {
			c.in = append(c.in, nil)
			continue
		}
		v, ok := s.find(name)
		if !ok {
			panic(fmt.Errorf("no node computes its input %q", name))
		}
		c.in = append(c.in, v)
	}
	outs := t.apply(c)
	for i, o := range outs {
		if i < len(n.Out) && n.Out[i] != "" {
			s.values[n.Out[i]] = o
		}
	}
}

func (t *trace) apply(c *call) []*value {
	if f := t.functions[[2]string{c.Domain, c.Op}]; f != nil {
		return c.function(f)
	}
	op := table[key(c.Domain, c.Op)]
	if op.Inner {
		return op.Rule(c)
	}
	if c.foldable() {
		if outs, ok := c.fold(op); ok {
			return outs
		}
	}
	op.accept(c)
	outs := op.Rule(c)
	for _, o := range outs {
		if o != nil && o.node != nil {
			t.fits(o.node.Shape())
		}
	}
	return outs
}

// Memory is how many bytes there are, of which a tensor may have half. Tests that are to end soon give less.
var Memory = memory.Limit

// fits refuses what no memory has room for.
func (t *trace) fits(s shapes.Shape) {
	sized(s.DType, s.Dimensions) // or the size may not be one
	if limit := Memory() / 2; limit > 0 && s.ByteSize() > 0 && uint64(s.ByteSize()) > limit {
		panic(fmt.Errorf("its output of shape %v would be %.1f GiB; no tensor may have more than %.1f, half of this machine's memory", s.Dimensions, float64(s.ByteSize())/(1<<30), float64(limit)/(1<<30)))
	}
}

// counted refuses more numbers than are computed while a graph is built.
func counted(n int) {
	if n < 0 || n > 1<<25 {
		panic(fmt.Errorf("%d numbers along an axis are not supported", n))
	}
}

// firstLine leaves out the stacks that GoMLX's errors carry.
func firstLine(err error) error {
	text := err.Error()
	if line, _, more := strings.Cut(text, "\n"); more {
		return errors.New(line)
	}
	return err
}

// node is a value in the graph, with its axes as ONNX has them.
func (t *trace) node(v *value) *graph.Node {
	if v.node == nil {
		t.place(v)
	}
	if !v.last {
		return v.node
	}
	if v.first == nil {
		v.first = channelsFirst(v.node)
	}
	return v.first
}

// place puts a value that is known into the graph.
func (t *trace) place(v *value) {
	if v.weight != "" {
		if v.node = t.weightNode(v.weight, nil); v.node != nil {
			return
		}
		v.known = t.Tensor(v.weight)
	}
	if v.known == nil {
		panic(errors.New("expected a tensor, got a sequence or no value"))
	}
	t.fits(v.known.Shape())
	if v.known.Size() == 0 { // which backends have no constants of
		v.node = graph.Zeros(t.g, v.known.Shape())
		return
	}
	v.node = graph.ConstTensor(t.g, v.known)
}

func (t *trace) weightNode(name string, axes []int) *graph.Node {
	if t.Weight == nil {
		return nil
	}
	return t.Weight(t.weights[name], axes)
}

// errTrying says that a way of a branch needs numbers.
var errTrying = errors.New("numbers are not known")

// most is how many nodes a translation may have, those of functions and loops each time.
const most = 1 << 18

// numbers are a value's, which may have to be asked for.
func (t *trace) numbers(v *value, name string) *tensors.Tensor {
	if v.known != nil {
		return v.known
	}
	if v.weight != "" {
		v.known = t.Tensor(v.weight)
		return v.known
	}
	if v.isList() || v.none {
		panic(errors.New("expected a tensor, got a sequence or no value"))
	}
	if t.trying > 0 {
		panic(errTrying)
	}
	if t.answers < len(t.Answers) {
		v.known = t.Answers[t.answers]
		t.answers++
		return v.known
	}
	input := t.inputs[v]
	if t.Asks && !t.folding {
		asked := &Asked{Input: input}
		if input == "" {
			asked.Node = t.node(v)
		}
		panic(asked)
	}
	if input != "" {
		panic(fmt.Errorf("it must know the numbers of input %q to know its output's shape; give them by Config.Values", input))
	}
	panic(fmt.Errorf("it must know the numbers of %q to know its output's shape, but they depend on the model's inputs; use onnx.Open, which computes them first", name))
}
