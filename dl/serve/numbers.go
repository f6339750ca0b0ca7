package serve

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

// parseNumbers reads the numbers of a value that is known to be JSON: an array, or arrays in each other, whose numbers
// lie in rows. It appends to what it gets.
func parseNumbers(to []float32, text []byte, datatype string) ([]float32, error) {
	whole := bounds[datatype] != [2]float64{}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '[' || c == ']' || c == ',' || c == ' ' || c == '\n' || c == '\t' || c == '\r':
			i++
		case datatype == "BOOL" && c == 't':
			to = append(to, 1)
			i += len("true")
		case datatype == "BOOL" && c == 'f':
			to = append(to, 0)
			i += len("false")
		case c == '-' || c >= '0' && c <= '9':
			v, n, err := parseNumber(text[i:])
			if err != nil {
				return nil, err
			}
			if whole {
				if err := fits(datatype, v); err != nil {
					return nil, fmt.Errorf("data: %w", err)
				}
			}
			to = append(to, float32(v))
			i += n
		default:
			return nil, fmt.Errorf("data: expected numbers of %s, got %.20q", datatype, text[i:])
		}
	}
	return to, nil
}

// powers are those of ten that float64 has exactly.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// parseNumber reads the number at the beginning of a text. The common ones, of up to 15 digits
// and without an exponent, are read here: their quotient by a power of ten is exact to the last
// place of float64.
func parseNumber(text []byte) (v float64, n int, err error) {
	var digits uint64
	count, point := 0, -1
	negative := text[0] == '-'
	if negative {
		n = 1
	}
	for ; n < len(text); n++ {
		c := text[n]
		switch {
		case c >= '0' && c <= '9':
			digits = digits*10 + uint64(c-'0')
			count++
			continue
		case c == '.' && point < 0:
			point = count
			continue
		case c == 'e' || c == 'E' || c == '+' || c == '-' || c == '.':
			return parseAny(text)
		}
		break
	}
	if count == 0 || count > 15 {
		return parseAny(text)
	}
	v = float64(digits)
	if point >= 0 {
		v /= powers[count-point]
	}
	if negative {
		v = -v
	}
	return v, n, nil
}

func parseAny(text []byte) (float64, int, error) {
	n := 0
	for n < len(text) && (text[n] >= '0' && text[n] <= '9' || text[n] == '.' || text[n] == 'e' || text[n] == 'E' || text[n] == '+' || text[n] == '-') {
		n++
	}
	v, err := strconv.ParseFloat(string(text[:n]), 64)
	if err != nil || math.Abs(v) > math.MaxFloat32 {
		return 0, 0, fmt.Errorf("data: %.40q is no number of 32 bits", text[:n])
	}
	return v, n, nil
}

// decode reads numbers as they lie in memory, little-endian.
func decode(raw []byte, datatype string) ([]float32, error) {
	width := widths[datatype]
	if width == 0 {
		return nil, fmt.Errorf("numbers of %s are not supported", datatype)
	}
	if len(raw)%width != 0 {
		return nil, fmt.Errorf("expected %d bytes for each number of %s, got %d", width, datatype, len(raw))
	}
	out := make([]float32, len(raw)/width)
	if datatype == "FP32" {
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
		return out, nil
	}
	for i := range out {
		v := single(raw[i*width:], datatype)
		if err := fits(datatype, v); err != nil {
			return nil, err
		}
		out[i] = float32(v)
	}
	return out, nil
}

func single(b []byte, datatype string) float64 {
	switch datatype {
	case "INT8":
		return float64(int8(b[0]))
	case "UINT8", "BOOL":
		return float64(b[0])
	case "INT16":
		return float64(int16(binary.LittleEndian.Uint16(b)))
	case "UINT16":
		return float64(binary.LittleEndian.Uint16(b))
	case "INT32":
		return float64(int32(binary.LittleEndian.Uint32(b)))
	case "UINT32":
		return float64(binary.LittleEndian.Uint32(b))
	case "INT64":
		return float64(int64(binary.LittleEndian.Uint64(b)))
	case "UINT64":
		return float64(binary.LittleEndian.Uint64(b))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}

// encode writes numbers as they lie in memory.
func encode(to []byte, x []float32, datatype string) []byte {
	for _, v := range x {
		switch datatype {
		case "FP32":
			to = binary.LittleEndian.AppendUint32(to, math.Float32bits(v))
		case "FP64":
			to = binary.LittleEndian.AppendUint64(to, math.Float64bits(float64(v)))
		case "INT64", "UINT64":
			to = binary.LittleEndian.AppendUint64(to, uint64(int64(v)))
		case "INT32", "UINT32":
			to = binary.LittleEndian.AppendUint32(to, uint32(int32(v)))
		case "INT16", "UINT16":
			to = binary.LittleEndian.AppendUint16(to, uint16(int16(v)))
		default:
			to = append(to, byte(int8(v)))
		}
	}
	return to
}

// appendNumbers writes numbers as JSON.
func appendNumbers(to []byte, x []float32, p Port) ([]byte, error) {
	to = append(to, '[')
	for i, v := range x {
		if i > 0 {
			to = append(to, ',')
		}
		switch {
		case v-v != 0:
			return nil, &statusError{422, fmt.Errorf("output %q: number %d is %v, for which JSON has no word: ask for binary_data", p.Name, i, v)}
		case p.Datatype == "BOOL":
			to = strconv.AppendBool(to, v != 0)
		default:
			to = strconv.AppendFloat(to, float64(v), 'g', -1, 32)
		}
	}
	return append(to, ']'), nil
}
