package session

import (
	"cmp"
	"plugin"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unsafe"
)

// To Go, a type is the address of its description. The loader sees to it that all
// libraries have one description of a type, by its name. What it does not know is done
// here, whenever a library has been loaded:
//
//   - A name that was declared anew has primes, which nobody wants to see.
//   - A type that reflect has made before, such as []T of a T, is the one that values
//     have already, so the library is led to that.
//   - A type that got methods is another type to Go. Values of the old one that are
//     in interfaces become values of the new one: see Supersede.

// known are the types of all libraries that are made of the notebook's own, by their
// texts with all primes.
var known = struct {
	sync.Mutex
	byText   map[string]reflect.Type
	compiled map[uintptr]bool // their addresses, inverted, but for those that reflect made
	files    map[string]bool  // of the libraries
	made     *swap            // types, and tables of methods, of libraries that Go had made before
	tables   map[implementation]uintptr
	stale    map[uintptr]implementation // tables that no other could replace yet, and of what that would be; inverted
	alive    []reflect.Type             // those that reflect made: descriptions in libraries refer to them, where the collector does not look
}{byText: map[string]reflect.Type{}, compiled: map[uintptr]bool{}, files: map[string]bool{}, made: newSwap(), tables: map[implementation]uintptr{}, stale: map[uintptr]implementation{}}

// typelinks are the addresses of the types that each loaded library brings, as a
// section and offsets in it.
//
//go:linkname typelinks reflect.typelinks
func typelinks() (sections []unsafe.Pointer, offsets [][]int32)

// load loads a library, and joins its types to those of the others.
func load(file string) error {
	known.Lock()
	defer known.Unlock()
	joinTables()
	if _, err := plugin.Open(file); err != nil {
		return err
	}
	joinTables()
	joinTypes(file)
	return nil
}

func joinTypes(file string) {
	known.files[file] = true
	sections, offsets := typelinks()
	last := len(sections) - 1
	type named struct {
		text string
		reflect.Type
	}
	var own []named
	primes := false
	for _, offset := range offsets[last] {
		t := typeAt(unsafe.Add(sections[last], offset))
		if text := t.String(); strings.Contains(text, "main.") {
			own = append(own, named{strings.Clone(text), t})
			known.compiled[^address(t)] = true
			primes = primes || strings.Contains(text, "ʹ")
		}
	}
	if !canRewrite || len(own) == 0 && len(known.made.words) == 0 && !tablesAreOnce {
		return
	}
	memory := regions(file, 0)
	if tablesAreOnce {
		joinOwnTables(memory)
	}
	if primes {
		for _, t := range own {
			showPlain(t.Type, memory)
		}
	}
	// Parts go before what is made of them.
	slices.SortStableFunc(own, func(a, b named) int { return cmp.Compare(len(a.text), len(b.text)) })
	twins := map[unsafe.Pointer]unsafe.Pointer{}
	for _, t := range own {
		c := known.byText[t.text]
		if c == nil {
			if c = made(t.Type, known.made.to); c == nil {
				c = t.Type
			}
			known.byText[t.text] = c
			keepAlive(c)
		}
		if !known.compiled[^address(c)] {
			known.made.addType(t.Type, c)
			setHash(c, t.Type)
		} else if strings.Contains(t.text, "ʹ") {
			twins[description(t.Type)] = description(c)
		}
	}
	known.made.apply(memory)
	joinCopies(twins)
}

// typemaps are the runtime's Typemaps of all libraries, the newest last: the address of a
// variable of the runtime's, nil if the session's program does not lend it.
var typemaps *[]Typemap

// joinCopies tells the runtime which types that the newest library describes are the same
// as those of earlier ones. It tells them by their texts, and in those there are no primes
// any longer.
//
// Source: runtime/type.go, func typelinksinit.
func joinCopies(first map[unsafe.Pointer]unsafe.Pointer) {
	if typemaps == nil || len(first) == 0 {
		return
	}
	newest := (*typemaps)[len(*typemaps)-1]
	for of, t := range newest {
		if to, ok := first[t]; ok {
			newest[of] = to
		}
	}
}

// keepAlive sees to it that a type that reflect made is never collected. Whoever holds
// known calls it.
func keepAlive(t reflect.Type) {
	if !known.compiled[^address(t)] {
		known.alive = append(known.alive, t)
	}
}

// typeAt is the type whose description is at an address.
func typeAt(p unsafe.Pointer) reflect.Type {
	var v any
	(*[2]unsafe.Pointer)(unsafe.Pointer(&v))[0] = p
	return reflect.TypeOf(v)
}

// description points to that of a type.
func description(t reflect.Type) unsafe.Pointer { return (*[2]unsafe.Pointer)(unsafe.Pointer(&t))[1] }

func address(t reflect.Type) uintptr { return uintptr(description(t)) }

// made is the type that reflect makes of the parts of one without a name, each of which
// part may change; nil if reflect does not make such.
func made(t reflect.Type, part func(reflect.Type) reflect.Type) (twin reflect.Type) {
	if t.Name() != "" {
		return nil
	}
	defer func() {
		if recover() != nil {
			twin = nil
		}
	}()
	switch t.Kind() {
	case reflect.Pointer:
		return reflect.PointerTo(part(t.Elem()))
	case reflect.Slice:
		return reflect.SliceOf(part(t.Elem()))
	case reflect.Array:
		return reflect.ArrayOf(t.Len(), part(t.Elem()))
	case reflect.Chan:
		return reflect.ChanOf(t.ChanDir(), part(t.Elem()))
	case reflect.Map:
		return reflect.MapOf(part(t.Key()), part(t.Elem()))
	case reflect.Func:
		in, out := make([]reflect.Type, t.NumIn()), make([]reflect.Type, t.NumOut())
		for i := range in {
			in[i] = part(t.In(i))
		}
		for i := range out {
			out[i] = part(t.Out(i))
		}
		return reflect.FuncOf(in, out, t.IsVariadic())
	}
	return nil
}

// madeStruct is the struct that reflect makes of the fields of one without a name, each
// of whose types part may change; nil if reflect does not make such, as where a field
// without a name has methods.
func madeStruct(t reflect.Type, part func(reflect.Type) reflect.Type) (twin reflect.Type) {
	if t.Name() != "" || t.Kind() != reflect.Struct {
		return nil
	}
	defer func() {
		if recover() != nil {
			twin = nil
		}
	}()
	fields := make([]reflect.StructField, t.NumField())
	for i := range fields {
		fields[i] = t.Field(i)
		fields[i].Type = part(fields[i].Type)
	}
	return reflect.StructOf(fields)
}

// showPlain takes the primes out of the text of a type, and out of the names of its
// fields.
func showPlain(t reflect.Type, memory []mapping) {
	if text := t.String(); strings.Contains(text, "ʹ") {
		shorten(text, hasExtraStar(t), memory)
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		if name := t.Field(i).Name; strings.Contains(name, "ʹ") {
			shorten(name, false, memory)
		}
	}
}

// hasExtraStar says whether the text of a type has a star before it that is not its own:
// it shares the text of its pointer.
//
// Source: internal/abi, type Type, whose flags are behind two words and a hash.
func hasExtraStar(t reflect.Type) bool {
	const flags, extraStar = 20, 1 << 1
	return *(*byte)(unsafe.Add(description(t), flags))&extraStar != 0
}

// shorten takes the primes out of a name in a library, which text is, but for a star.
func shorten(text string, star bool, memory []mapping) {
	to, before := plain(text), 0
	if star {
		to, before = "*"+to, 1
	}
	data := unsafe.Add(unsafe.Pointer(unsafe.StringData(text)), -before)
	inside := slices.ContainsFunc(memory, func(m mapping) bool { return !m.writable && m.start+8 < uintptr(data) && uintptr(data) < m.end })
	for n := 1; n <= 3 && inside; n++ { // bytes of the length
		begin := (*byte)(unsafe.Add(data, -n-1))
		if nameLength(begin) == nameSize(len(text)+before, n) {
			writable(uintptr(unsafe.Pointer(begin)), nameBytes(begin), func() { rename(begin, to) })
			return
		}
	}
}
