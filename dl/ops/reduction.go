package ops

// Sum adds up along axes, which disappear; without axes along all, which only nodes can do.
func Sum[T Value](x T, axes ...int) T { return along("sum", x, axes) }

// Mean is the mean along axes, which disappear; without axes along all, which only nodes can do.
func Mean[T Value](x T, axes ...int) T { return along("mean", x, axes) }

// Prod multiplies along axes, which disappear; without axes along all, which only nodes can do.
func Prod[T Value](x T, axes ...int) T { return along("prod", x, axes) }

// Max is the largest along axes, which disappear; without axes along all, which only nodes can do.
func Max[T Value](x T, axes ...int) T { return along("max", x, axes) }

// Min is the smallest along axes, which disappear; without axes along all, which only nodes can do.
func Min[T Value](x T, axes ...int) T { return along("min", x, axes) }

// Var is the variance along axes, which disappear; without axes along all, which only nodes can do.
func Var[T Value](x T, axes ...int) T { return along("var", x, axes) }

// Std is the standard deviation along axes, which disappear; without axes along all, which only nodes can do.
func Std[T Value](x T, axes ...int) T { return along("std", x, axes) }

// LogSumExp is log Σ eˣ, computed so that a large x does not overflow, along axes, which disappear; without axes along all, which only nodes can do.
func LogSumExp[T Value](x T, axes ...int) T { return along("logsumexp", x, axes) }

// Any says whether one is true along axes, which disappear; without axes along all, which only nodes can do.
func Any[T Value](x T, axes ...int) T { return along("any", x, axes) }

// All says whether all are true along axes, which disappear; without axes along all, which only nodes can do.
func All[T Value](x T, axes ...int) T { return along("all", x, axes) }

// ArgMax is the place of the largest along an axis: int32. The first of several counts.
func ArgMax[T Value](x T, axis int) T { return along("argmax", x, []int{axis}) }

// ArgMin is the place of the smallest along an axis: int32. The first of several counts.
func ArgMin[T Value](x T, axis int) T { return along("argmin", x, []int{axis}) }

// CumSum adds up what is at and before each place along an axis.
func CumSum[T Value](x T, axis int) T { return along("cumsum", x, []int{axis}) }
