package data

// powers are those of ten that float64 holds exactly.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// decimal reads a number of at most 15 digits and a separator, as tables mostly have them: both
// what the digits say and the power of ten are exact, so that their quotient is rounded once,
// as by strconv.ParseFloat. ok is false for what it leaves to that.
//
// Source: Clinger, 1990, How to read floating point numbers accurately.
func decimal(text string, separator byte) (v float64, ok bool) {
	i, negative := 0, false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		i, negative = 1, text[0] == '-'
	}
	var digits uint64
	count, behind, seen := 0, 0, false
	for ; i < len(text); i++ {
		switch d := text[i] - '0'; {
		case d <= 9:
			digits = digits*10 + uint64(d)
			if count++; seen {
				behind++
			}
		case text[i] == separator && !seen:
			seen = true
		default:
			return 0, false
		}
	}
	if count == 0 || count > 15 {
		return 0, false
	}
	v = float64(digits) / powers[behind]
	if negative {
		v = -v
	}
	return v, true
}
