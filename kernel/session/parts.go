package session

import (
	"cmp"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"time"

	"github.com/gradbook/gradbook/dl/tensor"
	"github.com/gradbook/gradbook/kernel/session/calls"
	"github.com/gradbook/gradbook/kernel/session/wire"
)

// Parts is implemented by values that say themselves what they are made of: a model of its
// layers, a layer of its weights.
type Parts interface {
	// Parts are names and values.
	Parts() iter.Seq2[string, any]
}

// maxParts is how many parts of a value are told of.
const maxParts = 100

// part is one of a value's, with its name or its index.
type part struct {
	name  string
	value reflect.Value
}

// inspect tells of the parts of a variable, or of what a path leads to in it: at each step
// the index of a part.
func inspect(name string, path []int) ([]wire.Variable, error) {
	p, ok := calls.Variables()[name]
	if !ok {
		return nil, fmt.Errorf("there is no variable %s", name)
	}
	all, more := parts(p.Elem())
	for _, i := range path {
		if i < 0 || i >= len(all) {
			return nil, fmt.Errorf("%s has changed: it has no part %d", name, i)
		}
		all, more = parts(all[i].value)
	}
	a := asker{time.Now().Add(allPatience)}
	list := make([]wire.Variable, 0, len(all)+1)
	for i, part := range all {
		v := a.variable(fmt.Sprint(name, path, i), part.value)
		v.Name = part.name
		list = append(list, v)
	}
	if more > 0 {
		list = append(list, wire.Variable{Name: unanswered, Text: fmt.Sprintf("%d more", more)})
	}
	return list, nil
}

// parts are what a value is made of, the first of them, and how many there are beside.
func parts(v reflect.Value) (all []part, more int) {
	for range 8 {
		if own, ok := asked[Parts](v); ok {
			return ownParts(own)
		}
		if t, ok := asked[*tensor.Tensor](v); ok {
			return tensorParts(t)
		}
		if k := v.Kind(); k != reflect.Pointer && k != reflect.Interface || v.IsNil() {
			break
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			all = append(all, part{v.Type().Field(i).Name, v.Field(i)})
		}
	case reflect.Slice, reflect.Array:
		for i := range min(v.Len(), maxParts) {
			all = append(all, part{fmt.Sprint("[", i, "]"), v.Index(i)})
		}
		more = v.Len() - len(all)
	case reflect.Map:
		for _, key := range keys(v) {
			all = append(all, part{fmt.Sprint("[", preview(key, 40), "]"), v.MapIndex(key)})
		}
		more = v.Len() - len(all)
	}
	return all, more
}

// asked is a value as T, if it may be asked and is one that is not nil.
func asked[T any](v reflect.Value) (t T, ok bool) {
	if !v.IsValid() || !v.CanInterface() || v.Kind() == reflect.Pointer && v.IsNil() {
		return t, false
	}
	t, ok = v.Interface().(T)
	return t, ok
}

// ownParts asks a value for its parts, which may take long, or for ever: a model that is
// being trained.
func ownParts(own Parts) ([]part, int) {
	type answer struct {
		all  []part
		more int
	}
	given := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if recover() != nil { // of the value's own method
				a = answer{}
			}
			given <- a
		}()
		for name, value := range own.Parts() {
			if len(a.all) == maxParts {
				a.more++
				continue
			}
			a.all = append(a.all, part{name, reflect.ValueOf(value)})
		}
	}()
	select {
	case a := <-given:
		return a.all, a.more
	case <-time.After(allPatience):
		return nil, 0
	}
}

// tensorParts are the numbers of a tensor, as Go's slices in slices, of which the first
// are copied.
func tensorParts(t *tensor.Tensor) (all []part, more int) {
	defer func() {
		if recover() != nil { // one that was finalized
			all, more = nil, 0
		}
	}()
	dims := t.Shape().Dimensions
	if len(dims) == 0 {
		return []part{{"value", reflect.ValueOf(t.Value())}}, 0
	}
	n := min(dims[0], maxParts)
	err := t.ConstFlatData(func(flat any) {
		numbers := reflect.ValueOf(flat)
		each := numbers.Len() / max(dims[0], 1)
		for i := range n {
			row := numbers.Slice(i*each, (i+1)*each)
			all = append(all, part{fmt.Sprint("[", i, "]"), nested(row, dims[1:])})
		}
	})
	if err != nil {
		return nil, 0
	}
	return all, dims[0] - n
}

// nested is a copy of flat numbers as a slice in slices.
func nested(flat reflect.Value, dims []int) reflect.Value {
	if len(dims) == 0 {
		v := reflect.New(flat.Type().Elem()).Elem()
		v.Set(flat.Index(0))
		return v
	}
	if len(dims) == 1 {
		return reflect.AppendSlice(reflect.Zero(flat.Type()), flat)
	}
	list, each := reflect.Value{}, flat.Len()/max(dims[0], 1)
	for i := range dims[0] {
		one := nested(flat.Slice(i*each, (i+1)*each), dims[1:])
		if !list.IsValid() {
			list = reflect.MakeSlice(reflect.SliceOf(one.Type()), 0, dims[0])
		}
		list = reflect.Append(list, one)
	}
	return list
}

// keys are the first of a map's keys in their order, unless a goroutine might be writing.
func keys(m reflect.Value) []reflect.Value {
	if m.Len() == 0 || m.Len() > 100*maxParts || !untouched() {
		return nil
	}
	all := m.MapKeys()
	slices.SortStableFunc(all, compareKeys)
	return all[:min(len(all), maxParts)]
}

func compareKeys(a, b reflect.Value) int {
	switch {
	case a.CanInt():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint():
		return cmp.Compare(a.Uint(), b.Uint())
	case a.CanFloat():
		return cmp.Compare(a.Float(), b.Float())
	}
	return cmp.Compare(preview(a, 200), preview(b, 200))
}
