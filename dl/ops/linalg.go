package ops

// MatMul is the product of matrices, which the last two axes are; the others are broadcast.
func MatMul[T Value](a, b T) T { return apply(operation{Op: "matmul"}, a, b) }

// Einsum is the sum of products that an equation describes: "bij,bjk->bik".
func Einsum[T Value](equation string, a, b T) T {
	return apply(operation{Op: "einsum", Text: equation}, a, b)
}

// Norm is the length of x along axes, √Σx²; without axes along all, which only nodes can do.
func Norm[T Value](x T, axes ...int) T { return along("norm", x, axes) }

// Normalize divides x by its length along an axis.
func Normalize[T Value](x T, axis int) T { return along("normalize", x, []int{axis}) }

// Tril leaves of matrices what is on the diagonal and below.
func Tril[T Value](x T) T { return one("tril", x) }

// Triu leaves of matrices what is on the diagonal and above.
func Triu[T Value](x T) T { return one("triu", x) }
