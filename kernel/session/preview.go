package session

import (
	"reflect"
	"runtime"
	"strconv"
	"strings"
)

// preview is a value in a line, as Go would print it: no more than its beginning, however
// large it is, and without a call of its methods.
func preview(v reflect.Value, width int) string {
	p := previewer{width: width}
	p.value(v, 0)
	return p.text.String()
}

type previewer struct {
	text  strings.Builder
	width int
	full  bool
}

// put writes a text, or what has room of it.
func (p *previewer) put(text string) {
	for i, r := range text {
		if p.full {
			return
		}
		if p.width == 0 || p.width == 1 && i+len(string(r)) < len(text) {
			p.text.WriteString(unanswered)
			p.full = true
			return
		}
		p.width--
		p.text.WriteRune(r)
	}
}

func (p *previewer) value(v reflect.Value, depth int) {
	if p.full {
		return
	}
	switch v.Kind() {
	case reflect.Invalid:
		p.put("nil")
	case reflect.String:
		if text := v.String(); depth == 0 {
			p.put(text)
		} else {
			p.put(strconv.Quote(text[:min(len(text), 4*p.width)]))
		}
	case reflect.Pointer, reflect.Interface:
		p.behind(v, depth)
	case reflect.Struct:
		p.structure(v, depth)
	case reflect.Slice, reflect.Array:
		p.list(v, depth)
	case reflect.Map:
		p.mapping(v, depth)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		if v.IsNil() {
			p.put("nil")
			return
		}
		p.put(plain(v.Type().String()))
	default:
		p.put(number(v))
	}
}

// number is that behind a value, whatever its type's String says.
func number(v reflect.Value) string {
	switch {
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10)
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10)
	case v.CanFloat():
		return strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits())
	case v.CanComplex():
		return strconv.FormatComplex(v.Complex(), 'g', -1, v.Type().Bits())
	}
	return strconv.FormatBool(v.Bool())
}

func (p *previewer) behind(v reflect.Value, depth int) {
	switch {
	case v.IsNil():
		p.put("nil")
	case v.Kind() == reflect.Interface:
		p.value(v.Elem(), max(depth, 1))
	case depth > 3:
		p.put(plain(v.Type().String()))
	default:
		p.put("&")
		p.value(v.Elem(), depth+1)
	}
}

func (p *previewer) structure(v reflect.Value, depth int) {
	p.put("{")
	for i := 0; i < v.NumField() && !p.full; i++ {
		if i > 0 {
			p.put(" ")
		}
		p.put(v.Type().Field(i).Name + ":")
		p.value(v.Field(i), depth+1)
	}
	p.put("}")
}

func (p *previewer) list(v reflect.Value, depth int) {
	if v.Kind() == reflect.Slice && v.IsNil() {
		p.put("nil")
		return
	}
	p.put("[")
	for i := 0; i < v.Len() && !p.full; i++ {
		if i > 0 {
			p.put(" ")
		}
		p.value(v.Index(i), depth+1)
	}
	p.put("]")
}

func (p *previewer) mapping(v reflect.Value, depth int) {
	if v.IsNil() {
		p.put("nil")
		return
	}
	p.put("map[")
	for i, key := range keys(v) {
		if p.full {
			return
		}
		if i > 0 {
			p.put(" ")
		}
		p.value(key, depth+1)
		p.put(":")
		p.value(v.MapIndex(key), depth+1)
	}
	p.put("]")
}

// untouched says that no goroutine of a cell is there that might write to a map while it
// is read, which would end the session.
func untouched() bool {
	stacks := make([]byte, 1<<20)
	n := runtime.Stack(stacks, true)
	return n < len(stacks) && !strings.Contains(string(stacks[:n]), "cell[")
}
