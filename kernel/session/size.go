package session

import (
	"reflect"
	"strings"
	"unsafe"
)

// sizer adds up the memory that values hold: what slices, strings, maps and pointers lead
// to, once each, however many lead there.
type sizer struct {
	seen map[visited]bool
	left int // steps, so that a variable that holds much is told of soon
}

type visited struct {
	at  unsafe.Pointer
	typ reflect.Type
}

// maxSteps is how many values are looked at for one variable's size, maxSample how many of
// one slice: the others are taken to be like them.
const maxSteps, maxSample = 20000, 500

func size(v reflect.Value) int64 {
	if !v.IsValid() {
		return 0
	}
	s := sizer{map[visited]bool{}, maxSteps}
	return int64(v.Type().Size()) + s.held(v)
}

// held is the memory that a value holds beside its own.
func (s *sizer) held(v reflect.Value) int64 {
	if s.left--; s.left < 0 {
		return 0
	}
	switch v.Kind() {
	case reflect.String:
		return int64(v.Len())
	case reflect.Slice:
		if v.IsNil() || s.known(v.UnsafePointer(), v.Type()) {
			return 0
		}
		return int64(v.Cap())*int64(v.Type().Elem().Size()) + s.items(v)
	case reflect.Array:
		return s.items(v)
	case reflect.Map:
		if v.IsNil() || s.known(v.UnsafePointer(), v.Type()) {
			return 0
		}
		t := v.Type()
		return int64(v.Len()) * int64(t.Key().Size()+t.Elem().Size()) // iterating might meet a goroutine that writes
	case reflect.Pointer:
		return s.pointed(v)
	case reflect.Interface:
		if v.IsNil() {
			return 0
		}
		if k := v.Elem().Kind(); k == reflect.Pointer || k == reflect.Map || k == reflect.Chan || k == reflect.Func {
			return s.held(v.Elem()) // it is in the interface itself
		}
		return int64(v.Elem().Type().Size()) + s.held(v.Elem())
	case reflect.Struct:
		var total int64
		for i := range v.NumField() {
			total += s.held(v.Field(i))
		}
		return total
	}
	return 0
}

func (s *sizer) pointed(v reflect.Value) int64 {
	t := v.Type().Elem()
	if v.IsNil() || elsewhere(t) || s.known(v.UnsafePointer(), t) {
		return 0
	}
	whole := int64(t.Size())
	// A tensor's numbers may be where Go does not see them.
	if m, ok := reflect.NewAt(t, v.UnsafePointer()).Interface().(interface{ Memory() uintptr }); ok {
		return whole + memory(m)
	}
	return whole + s.held(v.Elem())
}

func memory(m interface{ Memory() uintptr }) (n int64) {
	defer func() { _ = recover() }() // of one that was finalized
	return int64(m.Memory())
}

// items are what a sample of a list's elements holds, as if it were all.
func (s *sizer) items(v reflect.Value) int64 {
	n := v.Len()
	if n == 0 || !hasPointers(v.Type().Elem()) {
		return 0
	}
	sample := min(n, maxSample)
	var total int64
	for i := range sample {
		total += s.held(v.Index(i * n / sample))
	}
	return total * int64(n) / int64(sample)
}

func (s *sizer) known(at unsafe.Pointer, t reflect.Type) bool {
	key := visited{at, t}
	was := s.seen[key]
	s.seen[key] = true
	return was
}

// elsewhere says of types that lead to what all variables share: the program's own types,
// contexts, files, what computes.
func elsewhere(t reflect.Type) bool {
	switch path := t.PkgPath(); {
	case path == "reflect", path == "runtime", path == "context", path == "os", strings.HasPrefix(path, "internal/"):
		return true
	default:
		return strings.Contains(path, "go-xla") || strings.HasPrefix(path, "github.com/gomlx/compute")
	}
}

func hasPointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface:
		return true
	case reflect.Array:
		return hasPointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if hasPointers(t.Field(i).Type) {
				return true
			}
		}
	}
	return false
}
