package session

import (
	"fmt"
	"reflect"
	"sort"
	"strings"

	"github.com/gradbook/gradbook/kernel/session/wire"
)

// describe tells of session variables: all of them, or those named.
func describe(names []string) []wire.Variable {
	variables.Lock()
	defer variables.Unlock()
	if names == nil {
		for name := range variables.byName {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	var list []wire.Variable
	for _, name := range names {
		p, ok := variables.byName[name]
		if !ok {
			continue
		}
		v := p.Elem()
		list = append(list, wire.Variable{
			Name: name, Type: strings.ReplaceAll(v.Type().String(), "ʹ", ""),
			Shape: shape(v), Bytes: size(v, 0), Text: short(v),
		})
	}
	return list
}

// shape is a value's length or, of what has one, its shape.
func shape(v reflect.Value) (s string) {
	defer func() {
		if recover() != nil {
			s = ""
		}
	}()
	if v.CanInterface() {
		if m := v.MethodByName("Shape"); m.IsValid() && m.Type().NumIn() == 0 && m.Type().NumOut() == 1 {
			return fmt.Sprint(m.Call(nil)[0].Interface())
		}
		if m := v.MethodByName("Len"); m.IsValid() && m.Type().NumIn() == 0 && m.Type().NumOut() == 1 {
			return fmt.Sprint(m.Call(nil)[0].Interface())
		}
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map, reflect.String, reflect.Chan:
		return fmt.Sprint(v.Len())
	}
	return ""
}

// size estimates what a value holds, following slices, maps, strings and
// pointers for a few steps.
func size(v reflect.Value, depth int) int64 {
	if !v.IsValid() || depth > 4 {
		return 0
	}
	own := int64(v.Type().Size())
	switch v.Kind() {
	case reflect.String:
		return own + int64(v.Len())
	case reflect.Slice:
		elem := v.Type().Elem()
		total := own + int64(v.Cap())*int64(elem.Size())
		if hasPointers(elem) {
			for i := range min(v.Len(), 1000) {
				total += size(v.Index(i), depth+1) - int64(elem.Size())
			}
		}
		return total
	case reflect.Map:
		return own + int64(v.Len())*int64(v.Type().Key().Size()+v.Type().Elem().Size())
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return own
		}
		return own + size(v.Elem(), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Field(i)
			own += size(f, depth+1) - int64(f.Type().Size())
		}
	}
	return own
}

func hasPointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface, reflect.Struct, reflect.Array:
		return true
	}
	return false
}

func short(v reflect.Value) (s string) {
	defer func() {
		if recover() != nil {
			s = "?"
		}
	}()
	if !v.CanInterface() {
		return ""
	}
	switch v.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8,
		reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64, reflect.String:
		s = fmt.Sprint(v.Interface())
		if r := []rune(s); len(r) > 60 {
			s = string(r[:60]) + "…"
		}
	}
	return s
}
