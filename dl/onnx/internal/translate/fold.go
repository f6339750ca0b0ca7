package translate

import (
	"sync"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // computes what is known ahead
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// ahead computes what is known while a graph is built. It interprets graphs, which takes
// microseconds, where XLA would compile each.
var ahead = sync.OnceValues(func() (compute.Backend, error) { return compute.NewWithConfig("go:ops_sequential") })

// folded is the most numbers that an input has of what is computed ahead: shapes, and what
// is done with them. Larger ones are left to the device.
const folded = 1 << 12

// foldable says whether all inputs are known, and few.
func (c *call) foldable() bool {
	if c.folding || len(c.in) == 0 {
		return false
	}
	for _, v := range c.in {
		if v != nil && !v.isList() && !v.none && v.shape().Size() == 0 { // which the interpreter is not made for
			return false
		}
		switch {
		case v == nil:
		case v.weight != "" && v.known == nil:
			n, err := c.weights[v.weight].Size()
			if err != nil || n > folded || c.Trained && c.trainable(v.weight) {
				return false
			}
		case v.known == nil || v.known.Size() > folded || v.isList() || v.weight != "" && c.Trained && c.trainable(v.weight):
			return false
		}
	}
	return true
}

func (g *Graph) trainable(name string) bool { return Trainable(g.weights[name]) }

// fold computes a node at once. What the interpreter cannot do stays for the device.
func (c *call) fold(op operator) (out []*value, ok bool) {
	b, err := ahead()
	if err != nil {
		return nil, false
	}
	g := graph.NewGraph(b, "ahead")
	defer g.Finalize()
	defer func() {
		if r := recover(); r != nil {
			out, ok = nil, false
		}
	}()
	inner := *c.trace
	inner.g, inner.folding, inner.Source = g, true, Source{}
	f := *c
	f.trace, f.in = &inner, nil
	for i, v := range c.in {
		if v == nil {
			f.in = append(f.in, nil)
			continue
		}
		f.in = append(f.in, &value{known: c.numbers(v, c.In[i])})
	}
	outs := op.Rule(&f)
	var nodes []*graph.Node
	for _, o := range outs {
		if o != nil && o.known == nil {
			if n := o.node.Shape().Size(); n == 0 || n > 4*folded {
				return nil, false
			}
			nodes = append(nodes, inner.node(o))
		}
	}
	var results []compute.Buffer
	if len(nodes) > 0 {
		if err := g.Compile(nodes...); err != nil {
			return nil, false
		}
		if results, err = g.Executable().Execute(nil, nil, 0); err != nil {
			return nil, false
		}
	}
	for _, o := range outs {
		if o != nil && o.known == nil {
			t, err := tensors.FromBuffer(results[0])
			if err != nil {
				return nil, false
			}
			results = results[1:]
			if t, err = t.LocalClone(); err != nil {
				return nil, false
			}
			o = &value{known: t}
		}
		out = append(out, o)
	}
	return out, true
}
