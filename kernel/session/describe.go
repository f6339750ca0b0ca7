package session

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
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
			v := a.variable(name, p.Elem())
			v.Name = name
			list = append(list, v)
		}
	}
	return list
}

// variable tells of a value, whose place is known by a name.
func (a asker) variable(place string, v reflect.Value) wire.Variable {
	if !v.IsValid() {
		return wire.Variable{Text: "nil"}
	}
	return wire.Variable{Type: typeName(v.Type()), Shape: a.shape(place, v), Bytes: size(v), Text: a.text(place, v), Inside: inside(v)}
}

// typeName is a type as a cell writes it.
func typeName(t reflect.Type) string {
	return strings.ReplaceAll(inCells.ReplaceAllString(plain(t.String()), ""), "interface {}", "any")
}

var inCells = regexp.MustCompile(`\bmain\.`)

// inside says whether a value has parts.
func inside(v reflect.Value) bool {
	for range 8 {
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			if v.IsNil() {
				return false
			}
			v = v.Elem()
		case reflect.Struct:
			return v.NumField() > 0
		case reflect.Slice, reflect.Array, reflect.Map:
			return v.Len() > 0
		default:
			return false
		}
	}
	return false
}

func has[T any](v reflect.Value) bool {
	_, ok := asked[T](v)
	return ok
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

// text is the beginning of a value: as it says of itself, if it says something, and
// nothing of what has a shape instead.
func (a asker) text(place string, v reflect.Value) string {
	const width = 61
	if v.CanInterface() && (v.Kind() != reflect.Interface || !v.IsNil()) {
		_, stringer := v.Interface().(fmt.Stringer)
		_, isErr := v.Interface().(error)
		switch {
		case describing(v).IsValid():
			return ""
		case !stringer && !isErr && has[Parts](v):
			return ""
		case stringer || isErr:
			return a.ask(place+" text", func() string { return preview(reflect.ValueOf(fmt.Sprint(v.Interface())), width) })
		}
	}
	return preview(v, width)
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

// answer answers a question about variables.
func answer(r wire.Request, e *wire.Event) {
	var err error
	switch {
	case r.Op == "variables":
		e.Variables = describe(r.Names)
	case r.Op == "table" && r.Table != nil:
		e.Data, err = rowsOf(*r.Table)
	case len(r.Names) != 1:
		err = errors.New("expected the name of a variable")
	case r.Op == "inspect":
		e.Variables, err = inspect(r.Names[0], r.Path)
	default:
		v, ok := calls.Variables()[r.Names[0]]
		if !ok {
			err = fmt.Errorf("there is no variable %s", r.Names[0])
			break
		}
		e.Data = bundle(v.Elem().Interface())
	}
	if err != nil {
		e.Reason = err.Error()
	}
}
