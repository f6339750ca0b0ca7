package train

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/apart"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/pass"
	"github.com/gradbook/gradbook/dl/layers"
)

// A rule gives the squared lengths, [batch], of a layer's gradients, from the gradient by z.
type rule func(t tap, gz *graph.Node, trained []*graph.Node) *graph.Node

func ruleOf(l layers.Layer, trained []string) rule {
	only := func(names ...string) bool {
		return !slices.ContainsFunc(trained, func(n string) bool { return !slices.Contains(names, n) })
	}
	if _, ok := config.As[apart.Product](l); ok {
		return productOnly // products are taken together; see bounded
	}
	switch l := apart.Value(l).(type) {
	case layers.Embedding:
		if only("embeddings") {
			return embeddingSquare
		}
	case layers.LayerNormalization:
		if only("gamma", "beta") && (l.Axes == nil || slices.Equal(l.Axes, []int{-1})) {
			return scaledSquare
		}
	case layers.GroupNormalization:
		if only("gamma", "beta") && (l.Axis == 0 || l.Axis == -1) {
			return scaledSquare
		}
	}
	return nil
}

// trainedNames are the names of a layer's weights that are trained.
func trainedNames(l pass.Layer, trained []*graph.Node) (names []string) {
	for name, w := range l.Weights {
		if slices.Contains(trained, w) {
			names = append(names, name)
		}
	}
	return names
}

// ruled says whether there is a rule for each weight of a network that is trained. What uses
// one more than once must be a product each time: of other sums, the lengths are not known.
func ruled(n *network.Network) bool {
	uses := make(map[*network.Variable]use)
	if !countUses(n, uses) {
		return false
	}
	for _, w := range n.Weights {
		if w.Trainable() && uses[w.Variable] == unused { // by a way that is not seen
			return false
		}
	}
	return true
}

// use is what a weight is used by.
type use int

const (
	unused use = iota
	byProducts
	byAnother
)

// countUses notes what uses weights, and reports whether there is a rule for each.
func countUses(n *network.Network, uses map[*network.Variable]use) bool {
	for _, c := range n.Calls {
		l := c.Layer
		if inner := l.Nested(); inner != nil {
			if !countUses(inner, uses) {
				return false
			}
			continue
		}
		own := byAnother
		if _, product := config.As[apart.Product](l.Config); product {
			own = byProducts
		}
		var trained []string
		for i, v := range l.Weights {
			if !v.Trainable() {
				continue
			}
			trained = append(trained, l.Spec.Weights[i].Name)
			if before := uses[v]; before != unused && (before == byAnother || own == byAnother) {
				return false
			}
			uses[v] = own
		}
		if len(trained) > 0 && (len(c.In) > 1 || len(c.Out) > 1 || ruleOf(l.Config, trained) == nil) {
			return false
		}
	}
	return true
}

func productOnly(tap, *graph.Node, []*graph.Node) *graph.Node { return nil }

// bounded is the sum of the gradients of loss, a sum over examples, of which each is bounded. There
// must be a rule for each tap that has weights which are trained; see ruled.
func bounded(all []tap, trained []*graph.Node, loss, present *graph.Node, clip float64) []*graph.Node {
	var taps []tap
	var zs []*graph.Node
	for _, t := range all {
		if len(trainedNames(t.layer, trained)) > 0 {
			taps, zs = append(taps, t), append(zs, t.z)
		}
	}
	gzs := graph.Gradient(loss, zs...)
	var square *graph.Node
	products := &products{trained: trained, seen: make(map[*graph.Node][]*graph.Node), gz: make(map[*graph.Node][]*graph.Node)}
	for i, t := range taps {
		gz := graph.StopGradient(gzs[i])
		of := ruleOf(t.layer.Layer.(layers.Layer), trainedNames(t.layer, trained))
		if s := of(t, gz, trained); s != nil {
			square = plus(square, s)
		} else {
			products.add(t, gz)
		}
	}
	for _, s := range products.squares() {
		square = plus(square, s)
	}
	factor := bound(square, present, clip)
	var again *graph.Node
	for i, t := range taps {
		wide := func(n *graph.Node) *graph.Node {
			return graph.ExpandAndBroadcast(factor, n.Shape().Dimensions, axesBehind(1, n.Rank()))
		}
		z := pass.Alone(true, t.layer, graph.StopGradient(kept(t.x, wide(t.x))))[0]
		gz := kept(graph.Mul(gzs[i], wide(gzs[i])), wide(gzs[i]))
		again = plus(again, graph.ReduceAllSum(graph.Mul(z, graph.StopGradient(gz))))
	}
	return graph.Gradient(again, trained...)
}

// kept is n where a factor is above 0, and else 0, whatever n is there: times 0, what is not finite
// would stay so.
func kept(n, factor *graph.Node) *graph.Node {
	return graph.Where(graph.GreaterThan(factor, graph.ZerosLike(factor)), n, graph.ZerosLike(n))
}

// products are the kernels and biases of layers, with what they see and the gradients by
// their outputs, of all places where they are.
type products struct {
	trained  []*graph.Node
	order    []*graph.Node
	seen, gz map[*graph.Node][]*graph.Node
}

func (p *products) add(t tap, gz *graph.Node) {
	product, _ := config.As[apart.Product](t.layer.Layer.(layers.Layer))
	seen := product.Places(graph.StopGradient(t.x))
	d := seen.Shape().Dimensions // [batch, places, groups, numbers]
	gz = graph.Reshape(gz, d[0], d[1], d[2], gz.Shape().Size()/(d[0]*d[1]*d[2]))
	spec := t.layer.Spec.(layers.Spec)
	for i, w := range spec.Weights {
		node := t.layer.Weights[w.Name]
		if !slices.Contains(p.trained, node) {
			continue
		}
		if p.gz[node] == nil {
			p.order = append(p.order, node)
		}
		p.gz[node] = append(p.gz[node], gz)
		if i == 0 {
			p.seen[node] = append(p.seen[node], seen)
		}
	}
}

// squares are the squared lengths of each weight's gradients, [batch] each.
func (p *products) squares() (all []*graph.Node) {
	for _, w := range p.order {
		gz := joined(p.gz[w])
		if p.seen[w] == nil {
			all = append(all, graph.ReduceSum(graph.Square(graph.ReduceSum(gz, 1)), 1, 2))
			continue
		}
		all = append(all, productSquare(joined(p.seen[w]), gz))
	}
	return all
}

func joined(list []*graph.Node) *graph.Node {
	if len(list) == 1 {
		return list[0]
	}
	return graph.Concatenate(list, 1)
}

// productSquare is the squared length of Σ_places seen ⊗ gz: of the product itself, or by
// the products of places with each other, whatever is smaller.
func productSquare(seen, gz *graph.Node) *graph.Node {
	d := seen.Shape().Dimensions
	places, n, out := d[1], d[3], gz.Shape().Dimensions[3]
	switch {
	case places == 1:
		return graph.ReduceSum(graph.Mul(
			graph.ReduceSum(graph.Square(seen), 1, 3), graph.ReduceSum(graph.Square(gz), 1, 3)), 1)
	case places*places < n*out:
		a := graph.Einsum("btgk,bsgk->bgts", seen, seen)
		b := graph.Einsum("btgk,bsgk->bgts", gz, gz)
		return graph.ReduceSum(graph.Mul(a, b), 1, 2, 3)
	}
	if n > out { // on CPUs products with fewer rows than columns take less time, up to a half
		seen, gz = gz, seen
	}
	return graph.ReduceSum(graph.Square(graph.Einsum("btgk,btgo->bgko", seen, gz)), 1, 2, 3)
}

// embeddingSquare is that of a table's rows, of which an example may use one several times.
func embeddingSquare(t tap, gz *graph.Node, _ []*graph.Node) *graph.Node {
	d := gz.Shape().Dimensions
	batch, out := d[0], d[len(d)-1]
	steps := gz.Shape().Size() / (batch * out)
	gz = graph.Reshape(gz, batch, steps, out)
	ids := graph.Reshape(graph.ConvertDType(t.x, dtypes.Int32), batch, steps)
	same := graph.Equal(
		graph.BroadcastToDims(graph.InsertAxes(ids, 2), batch, steps, steps),
		graph.BroadcastToDims(graph.InsertAxes(ids, 1), batch, steps, steps))
	return graph.ReduceSum(graph.Mul(graph.Einsum("btk,bsk->bts", gz, gz), graph.ConvertDType(same, gz.DType())), 1, 2)
}

// scaledSquare is that of γ and β along the last axis, by which a layer multiplies what it has
// normalized, and which it adds.
func scaledSquare(t tap, gz *graph.Node, trained []*graph.Node) (sum *graph.Node) {
	plain := make(map[string]*graph.Node)
	for name, w := range t.layer.Weights {
		plain[name] = graph.ZerosLike(w)
		if name == "gamma" {
			plain[name] = graph.OnesLike(w)
		}
	}
	l := t.layer
	l.Weights = plain
	normal := pass.Alone(true, l, graph.StopGradient(t.x))[0]
	for name, w := range t.layer.Weights {
		if !slices.Contains(trained, w) {
			continue
		}
		own := gz
		if name == "gamma" {
			own = graph.Mul(gz, normal)
		}
		// The weight has the size of an axis, of which there are several places.
		d := own.Shape().Dimensions
		size := w.Shape().Size()
		own = graph.Reshape(own, d[0], own.Shape().Size()/(d[0]*size), size)
		sum = plus(sum, graph.ReduceSum(graph.Square(graph.ReduceSum(own, 1)), 1))
	}
	return sum
}
