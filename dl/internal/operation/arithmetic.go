package operation

import (
	"github.com/gomlx/gomlx/core/graph"

	internal "github.com/gradbook/gradbook/dl/internal/ops"
)

func init() {
	unary(map[string]func(x *graph.Node) *graph.Node{
		"reciprocal": graph.Reciprocal, "sqrt": graph.Sqrt, "rsqrt": internal.Rsqrt, "exp": graph.Exp, "expm1": expm1,
		"log": graph.Log, "log1p": graph.Log1p, "sin": graph.Sin, "cos": graph.Cos,
		"tan": func(x *graph.Node) *graph.Node { return graph.Div(graph.Sin(x), graph.Cos(x)) },
		"sinh": func(x *graph.Node) *graph.Node {
			return graph.MulScalar(graph.Sub(graph.Exp(x), graph.Exp(graph.Neg(x))), 0.5)
		},
		"cosh": func(x *graph.Node) *graph.Node {
			return graph.MulScalar(graph.Add(graph.Exp(x), graph.Exp(graph.Neg(x))), 0.5)
		},
		"floor": graph.Floor, "ceil": graph.Ceil, "round": graph.Round, "erf": graph.Erf,
	})
	for name, f := range map[string]func(x *graph.Node) *graph.Node{"negative": graph.Neg, "absolute": internal.Abs, "sign": graph.Sign, "square": graph.Square} {
		table[name] = func(_ Operation, x []*graph.Node) *graph.Node { return f(x[0]) }
	}
	binary(map[string]func(a, b *graph.Node) *graph.Node{
		"add": graph.Add, "subtract": graph.Sub, "multiply": graph.Mul,
		"divide":       func(a, b *graph.Node) *graph.Node { return graph.Div(float(a), float(b)) },
		"floor_divide": floorDivide,
		"mod":          func(a, b *graph.Node) *graph.Node { return graph.Sub(a, graph.Mul(b, floorDivide(a, b))) },
		"power":        graph.Pow, "maximum": graph.Max, "minimum": graph.Min,
	})
	table["clip"] = func(o Operation, x []*graph.Node) *graph.Node {
		return graph.ClipScalar(x[0], o.Numbers[0], o.Numbers[1])
	}
}

// expm1 has the gradient that graph.Expm1 lacks.
func expm1(x *graph.Node) *graph.Node {
	return internal.WithGradient([]*graph.Node{graph.Expm1(x)}, []*graph.Node{x}, func(d []*graph.Node) []*graph.Node {
		return []*graph.Node{graph.Mul(d[0], graph.Exp(x))}
	})[0]
}

func floorDivide(a, b *graph.Node) *graph.Node {
	return graph.ConvertDType(graph.Floor(graph.Div(float(a), float(b))), a.DType())
}
