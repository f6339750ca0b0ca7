package session

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/gradbook/gradbook/kernel/session/calls"
	"github.com/gradbook/gradbook/kernel/session/wire"
)

// describe tells of session variables: all of them, or those named.
func describe(names []string) []wire.Variable {
	byName := calls.Variables()
	if len(names) == 0 {
		names = slices.Collect(maps.Keys(byName))
	}
	slices.Sort(names)
	a := asker{time.Now().Add(allPatience)}
	var list []wire.Variable
	for _, name := range slices.Compact(names) {
		if p, ok := byName[name]; ok {
			v := p.Elem()
			list = append(list, wire.Variable{Name: name, Type: plain(v.Type().String()), Shape: a.shape(name, v), Bytes: size(v, 0), Text: a.text(name, v)})
		}
	}
	return list
}

// patience is how long a variable's own methods may take to describe it, and all of
// them together.
const patience, allPatience = 200 * time.Millisecond, time.Second

// asker asks values of themselves, which may take long, or for ever.
type asker struct{ until time.Time }

// pending are the questions that have not been answered yet.
var pending sync.Map // bool by question

// ask returns what f returns, or unanswered.
func (a asker) ask(question string, f func() string) string {
	if _, busy := pending.LoadOrStore(question, true); busy {
		return unanswered
	}
	answer := make(chan string, 1)
	go func() {
		defer pending.Delete(question)
		defer func() {
			if recover() != nil {
				answer <- "?"
			}
		}()
		answer <- f()
	}()
	select {
	case text := <-answer:
		return text
	case <-time.After(max(min(patience, time.Until(a.until)), time.Millisecond)):
		return unanswered
	}
}

// shape is a value's length or, of what has one, its shape.
func (a asker) shape(name string, v reflect.Value) string {
	if m := describing(v); m.IsValid() {
		return a.ask(name+" shape", func() string { return fmt.Sprint(m.Call(nil)[0].Interface()) })
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map, reflect.String, reflect.Chan:
		return fmt.Sprint(v.Len())
	}
	return ""
}

// text is a number or a text, but no more than the beginning.
func (a asker) text(name string, v reflect.Value) string {
	switch v.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8,
		reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64, reflect.String:
	default:
		return ""
	}
	if !v.CanInterface() {
		return ""
	}
	show := func() string {
		s := fmt.Sprint(v.Interface())
		if r := []rune(s); len(r) > 60 {
			s = string(r[:60]) + unanswered
		}
		return s
	}
	if v.NumMethod() > 0 { // one of them may be String
		return a.ask(name+" text", show)
	}
	return show()
}

// unanswered is in the place of what does not come.
const unanswered = "…"

// describing is the method that tells of a value's shape or length.
func describing(v reflect.Value) reflect.Value {
	if !v.CanInterface() || v.Kind() == reflect.Interface && v.IsNil() {
		return reflect.Value{}
	}
	for _, name := range []string{"Shape", "Len"} {
		if m := v.MethodByName(name); m.IsValid() && m.Type().NumIn() == 0 && m.Type().NumOut() == 1 {
			return m
		}
	}
	return reflect.Value{}
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
