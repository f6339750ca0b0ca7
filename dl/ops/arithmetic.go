package ops

// Negative is −x.
func Negative[T Value](x T) T { return one("negative", x) }

// Absolute is |x|; its gradient at 0 is 0.
func Absolute[T Value](x T) T { return one("absolute", x) }

// Sign is 1, 0 or −1.
func Sign[T Value](x T) T { return one("sign", x) }

// Reciprocal is 1/x.
func Reciprocal[T Value](x T) T { return one("reciprocal", x) }

// Square is x².
func Square[T Value](x T) T { return one("square", x) }

// Sqrt is √x.
func Sqrt[T Value](x T) T { return one("sqrt", x) }

// Rsqrt is 1/√x.
func Rsqrt[T Value](x T) T { return one("rsqrt", x) }

// Exp is eˣ.
func Exp[T Value](x T) T { return one("exp", x) }

// Expm1 is eˣ − 1, also for small x.
func Expm1[T Value](x T) T { return one("expm1", x) }

// Log is the natural logarithm.
func Log[T Value](x T) T { return one("log", x) }

// Log1p is log(1 + x), also for small x.
func Log1p[T Value](x T) T { return one("log1p", x) }

// Sin is the sine.
func Sin[T Value](x T) T { return one("sin", x) }

// Cos is the cosine.
func Cos[T Value](x T) T { return one("cos", x) }

// Tan is the tangent.
func Tan[T Value](x T) T { return one("tan", x) }

// Sinh is the hyperbolic sine.
func Sinh[T Value](x T) T { return one("sinh", x) }

// Cosh is the hyperbolic cosine.
func Cosh[T Value](x T) T { return one("cosh", x) }

// Floor is the largest whole number that is not above x.
func Floor[T Value](x T) T { return one("floor", x) }

// Ceil is the smallest whole number that is not below x.
func Ceil[T Value](x T) T { return one("ceil", x) }

// Round is the nearest whole number, and of two the even one.
func Round[T Value](x T) T { return one("round", x) }

// Erf is the error function.
func Erf[T Value](x T) T { return one("erf", x) }

// Add is a + b.
func Add[T Value](a T, b any) T { return two("add", a, b) }

// Subtract is a − b.
func Subtract[T Value](a T, b any) T { return two("subtract", a, b) }

// Multiply is a · b.
func Multiply[T Value](a T, b any) T { return two("multiply", a, b) }

// Divide is a / b, of floats.
func Divide[T Value](a T, b any) T { return two("divide", a, b) }

// FloorDivide is ⌊a / b⌋.
func FloorDivide[T Value](a T, b any) T { return two("floor_divide", a, b) }

// Mod is what is left of a / b, with the sign of b.
func Mod[T Value](a T, b any) T { return two("mod", a, b) }

// Power is a to the power of b.
func Power[T Value](a T, b any) T { return two("power", a, b) }

// Maximum is the larger of both.
func Maximum[T Value](a T, b any) T { return two("maximum", a, b) }

// Minimum is the smaller of both.
func Minimum[T Value](a T, b any) T { return two("minimum", a, b) }

// Clip keeps x in [low, high].
func Clip[T Value](x T, low, high float64) T {
	return apply(operation{Op: "clip", Numbers: []float64{low, high}}, x)
}
