package session

import (
	"context"
	"reflect"
	"sync"
	"unsafe"
)

// cells are the loaded libraries' entry points, by number.
var cells = map[int]func(){}

// Register tells of a cell's entry point. Its library calls it when loaded.
func Register(n int, run func()) { cells[n] = run }

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

// Context returns the context that an interrupt cancels. In a cell, context.Background
// means this one.
func Context() context.Context { return cellContext{} }

// Clear gives variables, to which p points, the zero values of their types.
func Clear(p ...any) {
	for _, p := range p {
		reflect.ValueOf(p).Elem().SetZero()
	}
}

// unhandled is the panic for an error that a statement left unhandled.
type unhandled struct{ err error }

// Check ends the cell if the last of a statement's results is an error.
func Check(results ...any) {
	if len(results) == 0 {
		return
	}
	if err, ok := results[len(results)-1].(error); ok && err != nil {
		panic(unhandled{err})
	}
}

// Turn is called before Go's own print and println, which write to standard error past
// package os.
func Turn() { order.turn(stderrStream) }
