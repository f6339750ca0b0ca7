package layers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(EinsumDense{})
	config.Reads(readEinsumDense)
}

// EinsumDense is a Dense layer whose sums an equation describes: "ab,bc->ac" is Dense,
// "abc,cd->abd" a Dense of each step, "...x,xy->...y" one of the last axis. The first term is
// the input with its batch, the second the kernel.
//
// Input shape: (None, …), as the equation says. Output shape: (None, OutputShape…), to which
// an ellipsis adds its axes.
//
// Source: https://keras.io/api/layers/core_layers/einsum_dense/
type EinsumDense struct {
	// Equation has the form input,kernel->output, in which letters are axes; "..." stands for
	// any number of axes, at the beginning or the end of both input and output.
	Equation string
	// OutputShape is the shape of the output without the batch and without the axes of an
	// ellipsis; 0 takes the size of the input's axis of the same letter.
	OutputShape []int
	// Activation is applied to the sums; nil is linear.
	Activation activations.Activation
	// BiasAxes are the letters of the output's axes that the bias has; "" is no bias.
	BiasAxes string
	// KernelInitializer starts the kernel; nil is GlorotUniform.
	KernelInitializer initializers.Initializer
	// BiasInitializer starts the bias; nil is Zeros.
	BiasInitializer                                         initializers.Initializer
	KernelRegularizer, BiasRegularizer, ActivityRegularizer regularizers.Regularizer
	KernelConstraint, BiasConstraint                        constraints.Constraint
	Name                                                    string
}

// readEinsumDense reads an output_shape that is a number, or has axes that are not known.
func readEinsumDense(l *EinsumDense, c map[string]any) error {
	all, ok := c["output_shape"].([]any)
	if n, one := c["output_shape"].(float64); one {
		all, ok = []any{n}, true
	}
	if !ok {
		return nil
	}
	delete(c, "output_shape")
	for _, v := range all {
		n, _ := v.(float64) // 0 for one that is not known
		l.OutputShape = append(l.OutputShape, int(n))
	}
	return nil
}

// einsum is an equation with the shapes that it is for.
type einsum struct {
	in, kernel, out []rune // letters without an ellipsis
	rest            int    // axes of an ellipsis
	left            bool   // it is at the beginning
	sizes           map[rune]int
}

func (l EinsumDense) einsum(in Shape) (e einsum, err error) {
	inputs, output, ok := strings.Cut(strings.ReplaceAll(l.Equation, " ", ""), "->")
	input, kernel, two := strings.Cut(inputs, ",")
	if !ok || !two || kernel == "" || strings.Contains(kernel, ".") || strings.Contains(kernel, ",") {
		return e, fmt.Errorf("expected an Equation such as %q, got %q", "ab,bc->ac", l.Equation)
	}
	bare := func(s string) ([]rune, bool) {
		e.left = e.left || strings.HasPrefix(s, "...")
		t := strings.TrimSuffix(strings.TrimPrefix(s, "..."), "...")
		return []rune(t), t != s
	}
	var dotsIn, dotsOut bool
	e.in, dotsIn = bare(input)
	e.out, dotsOut = bare(output)
	e.kernel = []rune(kernel)
	e.rest = 1 + len(in) - len(e.in)
	if dotsIn != dotsOut || e.rest < 0 || !dotsIn && e.rest > 0 {
		return e, fmt.Errorf("expected an input of as many axes as Equation %q says, got shape %v", l.Equation, in)
	}
	e.sizes = make(map[rune]int)
	whole := append([]int{-1}, in...)
	at := 0
	if e.left {
		at = e.rest
	}
	for i, r := range e.in {
		e.sizes[r] = whole[at+i]
	}
	given := l.OutputShape
	if !e.left || e.rest == 0 { // the first letter is the batch
		given = append([]int{0}, given...)
	}
	if len(given) != len(e.out) {
		return e, fmt.Errorf("expected an OutputShape for the axes %q of Equation %q, got %v", string(e.out), l.Equation, l.OutputShape)
	}
	for i, r := range e.out {
		size, known := e.sizes[r]
		switch {
		case !known && given[i] < 1:
			return e, fmt.Errorf("expected the size of axis %q of Equation %q in OutputShape, got %v", string(r), l.Equation, l.OutputShape)
		case !known:
			e.sizes[r] = given[i]
		case given[i] > 0 && given[i] != size:
			return e, fmt.Errorf("axis %q is %d in the input and %d in OutputShape %v", string(r), size, given[i], l.OutputShape)
		}
	}
	for _, r := range slices.Concat(e.kernel, []rune(l.BiasAxes)) {
		if size, ok := e.sizes[r]; !ok || size < 0 {
			return e, fmt.Errorf("expected axes of the kernel and the bias that the input or the output has, got %q and %q of Equation %q", kernel, l.BiasAxes, l.Equation)
		}
	}
	for _, r := range l.BiasAxes {
		if !slices.Contains(e.out, r) {
			return e, fmt.Errorf("expected BiasAxes of the output, got %q of Equation %q", l.BiasAxes, l.Equation)
		}
	}
	return e, nil
}

// bias is the shape of a bias that is added to the output: from its first axis on.
func (l EinsumDense) bias(e einsum) Shape {
	var shape Shape
	for _, r := range e.out {
		switch {
		case strings.ContainsRune(l.BiasAxes, r):
			shape = append(shape, e.sizes[r])
		case len(shape) > 0:
			shape = append(shape, 1)
		}
	}
	if !e.left {
		for range e.rest {
			shape = append(shape, 1)
		}
	}
	return shape
}

// Build implements Layer.
func (l EinsumDense) Build(in Shape) (Spec, error) {
	e, err := l.einsum(in)
	if err != nil {
		return Spec{}, err
	}
	var kernel Shape
	for _, r := range e.kernel {
		kernel = append(kernel, e.sizes[r])
	}
	var out Shape
	for _, r := range e.out {
		out = append(out, e.sizes[r])
	}
	if e.left && e.rest > 0 {
		out = append(slices.Clone(in[:e.rest-1]), out...)
	} else {
		out = append(out[1:], in[len(in)-e.rest:]...)
	}
	reg := regularization{l.KernelRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.KernelConstraint, l.BiasConstraint}
	w := []Weight{reg.kernel("kernel", l.KernelInitializer, kernel...)}
	if l.BiasAxes != "" {
		w = reg.withBias(w, false, 1, l.BiasInitializer)
		w[1].Shape = l.bias(e)
	}
	return Spec{Output: out, Weights: w, KeepsMask: true}, nil
}

// Call implements Layer.
func (l EinsumDense) Call(c *Context, x *tensor.Node) *tensor.Node {
	e, err := l.einsum(x.Shape().Dimensions[1:])
	if err != nil {
		panic(err)
	}
	equation := strings.ReplaceAll(l.Equation, " ", "")
	if e.rest > 0 {
		equation = e.spelled()
	} else {
		equation = strings.ReplaceAll(equation, "...", "")
	}
	y := graph.Einsum(equation, x, c.Weight("kernel"))
	if l.BiasAxes != "" {
		y = graph.Add(y, graph.ExpandLeftToRank(c.Weight("bias"), y.Rank()))
	}
	reg := regularization{activityRegularizer: l.ActivityRegularizer}
	return reg.activity(c, activate(c, l.Activation, y))
}

// spelled is the equation with letters for an ellipsis.
func (e einsum) spelled() string {
	var dots string
	for r := 'z'; len(dots) < e.rest && r >= 'a'; r-- {
		if _, used := e.sizes[r]; !used {
			dots += string(r)
		}
	}
	if e.left {
		return dots + string(e.in) + "," + string(e.kernel) + "->" + dots + string(e.out)
	}
	return string(e.in) + dots + "," + string(e.kernel) + "->" + string(e.out) + dots
}

// ONNX implements build.Layer.
func (l EinsumDense) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	y := g.Op("Einsum", []string{c.In[0], g.Array(c.Weights[0])}, build.Attr{Name: "equation", Value: l.Equation})
	if l.BiasAxes != "" {
		y = g.Op("Add", []string{y, g.Array(c.Weights[1])})
	}
	return onnxActivated(g, y, l.Activation)
}
