package calls

import "reflect"

// Unhandled is the panic for an error that a statement left unhandled.
type Unhandled struct{ Err error }

// Check ends the cell if the last of a statement's results is an error.
func Check(results ...any) {
	if len(results) == 0 {
		return
	}
	if err, ok := results[len(results)-1].(error); ok && err != nil {
		panic(Unhandled{err})
	}
}

// Recover is deferred in the goroutines that a cell starts, so that a panic in
// one of them ends it and not the session.
func Recover() {
	if e := recover(); e != nil {
		To.Failed(e)
	}
}

// Guard wraps a function that a go statement calls, so that a panic in it ends
// the goroutine and not the session.
func Guard[F any](f F) F {
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Func || v.IsNil() {
		return f
	}
	call := v.Call
	if v.Type().IsVariadic() {
		call = v.CallSlice
	}
	return reflect.MakeFunc(v.Type(), func(args []reflect.Value) (out []reflect.Value) {
		for i := range v.Type().NumOut() {
			out = append(out, reflect.Zero(v.Type().Out(i)))
		}
		defer Recover()
		return call(args)
	}).Interface().(F)
}
