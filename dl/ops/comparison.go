package ops

// Equal says where a = b.
func Equal[T Value](a T, b any) T { return two("equal", a, b) }

// NotEqual says where a ≠ b.
func NotEqual[T Value](a T, b any) T { return two("not_equal", a, b) }

// Greater says where a > b.
func Greater[T Value](a T, b any) T { return two("greater", a, b) }

// GreaterEqual says where a ≥ b.
func GreaterEqual[T Value](a T, b any) T { return two("greater_equal", a, b) }

// Less says where a < b.
func Less[T Value](a T, b any) T { return two("less", a, b) }

// LessEqual says where a ≤ b.
func LessEqual[T Value](a T, b any) T { return two("less_equal", a, b) }

// LogicalAnd says where both are true.
func LogicalAnd[T Value](a T, b any) T { return two("logical_and", a, b) }

// LogicalOr says where one or both are true.
func LogicalOr[T Value](a T, b any) T { return two("logical_or", a, b) }

// LogicalXor says where one of both is true.
func LogicalXor[T Value](a T, b any) T { return two("logical_xor", a, b) }

// LogicalNot says where x is false.
func LogicalNot[T Value](x T) T { return one("logical_not", x) }

// IsNaN says where x is not a number.
func IsNaN[T Value](x T) T { return one("isnan", x) }

// IsFinite says where x is a number, and not infinite.
func IsFinite[T Value](x T) T { return one("isfinite", x) }

// Where is a where the condition is true, and b elsewhere.
func Where[T Value](condition, a, b T) T { return apply(operation{Op: "where"}, condition, a, b) }
