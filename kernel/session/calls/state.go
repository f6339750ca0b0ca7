package calls

import (
	"maps"
	"reflect"
	"sync"
	"unsafe"
)

// cells are the loaded libraries' entry points, by number.
var cells = map[int]func(){}

// Register tells of a cell's entry point. Its library calls it when loaded.
func Register(n int, run func()) { cells[n] = run }

// Entry is the entry point of a cell; nil if its library has registered none.
func Entry(n int) func() { return cells[n] }

// variables are the addresses of the session variables, by name.
var variables = struct {
	sync.Mutex
	byName map[string]reflect.Value
}{byName: map[string]reflect.Value{}}

// SetVariable tells of a session variable; p points to it.
func SetVariable(name string, p any) {
	variables.Lock()
	defer variables.Unlock()
	variables.byName[name] = reflect.ValueOf(p)
}

// Variables are pointers to the session variables, by name.
func Variables() map[string]reflect.Value {
	variables.Lock()
	defer variables.Unlock()
	return maps.Clone(variables.byName)
}

// Forget drops a session variable.
func Forget(name string) {
	variables.Lock()
	defer variables.Unlock()
	delete(variables.byName, name)
}

// Address returns the address of a session variable, whose type may have got
// methods since it was declared; nil if there is none.
func Address(name string) unsafe.Pointer {
	variables.Lock()
	defer variables.Unlock()
	v, ok := variables.byName[name]
	if !ok {
		return nil
	}
	return v.UnsafePointer()
}

// Clear gives variables, to which p points, the zero values of their types.
func Clear(p ...any) {
	for _, p := range p {
		reflect.ValueOf(p).Elem().SetZero()
	}
}
