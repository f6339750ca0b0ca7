package viz

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// functionMark is how go-echarts marks JavaScript in texts.
const functionMark = "__f__"

// plain turns go-echarts' structures into what JSON has: it makes nil of NaN and
// the infinities, with which encoding/json would refuse the whole chart.
func plain(v reflect.Value) (any, error) {
	switch v.Kind() {
	case reflect.Invalid:
		return nil, nil
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return nil, nil
		}
		return plain(v.Elem())
	case reflect.Float32, reflect.Float64:
		return number(v.Float()), nil
	case reflect.String:
		if strings.Contains(v.String(), functionMark) {
			return nil, fmt.Errorf("expected a chart without JavaScript, got the text %q", v.String())
		}
		return visible(v.String()), nil
	case reflect.Map:
		return plainMap(v)
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.IsNil() {
			return nil, nil
		}
		out := make([]any, v.Len())
		for i := range out {
			var err error
			if out[i], err = plain(v.Index(i)); err != nil {
				return nil, err
			}
		}
		return out, nil
	case reflect.Struct:
		return plainStruct(v)
	}
	return v.Interface(), nil
}

// number is a value of a chart: nil, a gap, if it is none.
func number(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return f
}

// rounded is a value to seven digits, which is more than a chart shows.
func rounded(f float64) any { return digits(f, 7) }

// rounding returns a function that rounds values such that those that can be told
// apart in a chart of them stay apart.
func rounding(all []float64) func(float64) any {
	low, high, found := span(all)
	if !found || !(high > low) || math.IsInf(high-low, 0) {
		return func(f float64) any { return digits(f, 9) }
	}
	decimals := 5 - int(math.Floor(math.Log10(high-low)))
	if decimals > 15 {
		return number
	}
	return func(f float64) any {
		if number(f) == nil || decimals < 0 {
			return digits(f, 9)
		}
		if math.Abs(f) < math.Pow10(2-decimals) {
			return digits(f, 3) // it must not become 0, which a log axis does not have
		}
		r, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', decimals, 64), 64)
		if err != nil {
			return number(f)
		}
		return r
	}
}

func digits(f float64, n int) any {
	if f == 0 || math.IsNaN(f) || math.IsInf(f, 0) {
		return number(f)
	}
	scale := math.Pow(10, float64(n-1)-math.Floor(math.Log10(math.Abs(f))))
	if r := math.Round(f*scale) / scale; !math.IsInf(r, 0) && !math.IsNaN(r) {
		return r
	}
	return f
}

// visible is a text as it can be drawn: control characters become their symbols,
// and what is no UTF-8 the replacement character. SVG cannot hold either.
func visible(s string) string {
	ok := true
	for _, r := range s {
		if unprintable(r) {
			ok = false
			break
		}
	}
	if ok {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r < ' ' && unprintable(r):
			return '␀' + r
		case r == 0x7f:
			return '␡'
		case unprintable(r):
			return '\ufffd'
		}
		return r
	}, s)
}

func unprintable(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < ' ', r >= 0x7f && r < 0xa0, r == 0xfffe, r == 0xffff, r == '\ufffd':
		return true
	}
	return false
}

func plainMap(v reflect.Value) (any, error) {
	out := make(map[string]any, v.Len())
	for _, k := range v.MapKeys() {
		value, err := plain(v.MapIndex(k))
		if err != nil {
			return nil, err
		}
		out[fmt.Sprint(k.Interface())] = value
	}
	return out, nil
}

// plainStruct follows encoding/json's rules for the tags that go-echarts uses.
func plainStruct(v reflect.Value) (any, error) {
	if m, ok := v.Interface().(json.Marshaler); ok {
		raw, err := m.MarshalJSON()
		if err != nil {
			return nil, err
		}
		var out any
		return out, json.Unmarshal(raw, &out)
	}
	out := make(map[string]any)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		value := v.Field(i)
		if strings.Contains(rest, "omitempty") && isEmpty(value) {
			continue
		}
		p, err := plain(value)
		if err != nil {
			return nil, err
		}
		if f.Anonymous && name == "" {
			if inner, ok := p.(map[string]any); ok {
				for k, x := range inner {
					if _, taken := out[k]; !taken {
						out[k] = x
					}
				}
				continue
			}
		}
		if name == "" {
			name = f.Name
		}
		out[name] = p
	}
	return out, nil
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}
