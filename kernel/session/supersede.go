package session

import (
	"cmp"
	"math"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"
	"unsafe"
)

// Supersede implements [calls.Session]. To Go, the old and the new type are types of
// their own, so a value of the old one that is in an interface would be none of the new
// one: not in a type switch, not to ==.
//
// In memory, that an interface holds a value of a type is a word with the address of
// the type's description, or of a table of its methods. These words are replaced, in
// whatever variable, closure, channel or stack they are. What another goroutine has in
// a register at this moment is missed.
func (session) Supersede(names []string) {
	if !canRewrite {
		sayKept(names[0])
		return
	}
	known.Lock()
	defer known.Unlock()
	renamed := map[string]string{}
	for i := 0; i+1 < len(names); i += 2 {
		renamed["main."+names[i]] = "main." + names[i+1]
	}
	var olds []string
	for text := range known.byText {
		if substitute(text, renamed) != text && !strings.Contains(text, "go.shape.") { // no value is of a shape
			olds = append(olds, text)
		}
	}
	slices.SortFunc(olds, func(a, b string) int { return len(a) - len(b) }) // parts first
	s := newSwap()
	for _, text := range olds {
		t, to := known.byText[text], substitute(text, renamed)
		next := known.byText[to]
		if next == nil {
			if next = made(t, s.to); next == nil {
				next = madeStruct(t, s.to)
			}
			if next == nil {
				if t.Name() != "" {
					sayKept(text)
				}
				continue
			}
			known.byText[to] = next
			keepAlive(next)
		}
		s.addType(t, next)
		delete(known.byText, text)
	}
	s.addTables()
	for inverted := range known.compiled {
		t := typeAt(pointer(^inverted))
		s.keep(description(t), descriptionSize(t))
	}
	if n := cap(known.alive); n > 0 { // which must stay what they are
		s.keep(unsafe.Pointer(unsafe.SliceData(known.alive)), unsafe.Sizeof(known.alive[0])*uintptr(n))
	}
	if table, slots := currentItabs(); table != nil { // the runtime counts what is in it
		s.keep(unsafe.Pointer(table), unsafe.Sizeof(*table)+wordSize*uintptr(len(slots)))
	}
	s.described = descriptions()
	clear(s.types) // its words are no values
	withoutCollector(func() { s.apply(regions("", program|heap|libraries)) })
}

// sayKept says that values of a type are not superseded.
func sayKept(text string) {
	_, _ = stderr.WriteString("values of " + plain(text) + " that are in interfaces keep the methods that they had\n")
}

// withoutCollector calls f while the garbage collector does nothing. In the heap are also
// its lists of what it has to look at, in which an address means the object, and no type.
func withoutCollector(f func()) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	runtime.GC() // when it returns, none is under way
	f()
}

// substitute changes whole names in the text of a type.
func substitute(text string, names map[string]string) string {
	var b strings.Builder
	isName := func(r rune) bool { return r == '_' || r == '.' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	for rest := text; rest != ""; {
		end := strings.IndexFunc(rest, func(r rune) bool { return !isName(r) })
		if end < 0 {
			end = len(rest)
		}
		name := strings.TrimLeft(rest[:end], ".") // of a variadic parameter
		b.WriteString(rest[:end-len(name)])
		b.WriteString(cmp.Or(names[name], name))
		rest = rest[end:]
		next := strings.IndexFunc(rest, isName)
		if next < 0 {
			next = len(rest)
		}
		b.WriteString(rest[:next])
		rest = rest[next:]
	}
	return b.String()
}

// swap is which words to replace in memory. It keeps them inverted, since it is in
// memory itself.
type swap struct {
	types     map[reflect.Type]reflect.Type
	words     map[uintptr]uintptr
	low, high uintptr
	except    [][2]uintptr     // from and to
	described map[uintptr]bool // addresses of types
}

func newSwap() *swap {
	return &swap{types: map[reflect.Type]reflect.Type{}, words: map[uintptr]uintptr{}, low: ^uintptr(0)}
}

func (s *swap) add(from, to uintptr) {
	s.words[^from] = ^to
	s.low, s.high = min(s.low, ^from), max(s.high, ^from)
}

func (s *swap) addType(from, to reflect.Type) {
	if from != to {
		s.types[from] = to
		s.add(address(from), address(to))
	}
}

// keep leaves a part of memory as it is: what describes the old types.
func (s *swap) keep(start unsafe.Pointer, size uintptr) {
	s.except = append(s.except, [2]uintptr{^uintptr(start), ^(uintptr(start) + size)})
}

func (s *swap) kept(at uintptr) bool {
	return slices.ContainsFunc(s.except, func(r [2]uintptr) bool { return r[1] < ^at && ^at <= r[0] })
}

// descriptionSize bounds the size of a type's description.
//
// Source: internal/abi, type Type and those that begin with it.
func descriptionSize(t reflect.Type) uintptr {
	const common, method = 112, 16
	words := 0
	switch t.Kind() {
	case reflect.Struct:
		words = 3 * t.NumField()
	case reflect.Func:
		words = t.NumIn() + t.NumOut()
	case reflect.Interface:
		return common + wordSize*uintptr(t.NumMethod())
	}
	return common + wordSize*uintptr(words) + method*uintptr(allMethods(t))
}

// allMethods bounds the number of a type's methods, those included that are not exported.
func allMethods(t reflect.Type) int {
	const uncommon = 1 << 0
	if *(*byte)(unsafe.Add(description(t), 20))&uncommon == 0 {
		return 0
	}
	return t.NumMethod() + 16
}

// to is the type in the place of t, or t.
func (s *swap) to(t reflect.Type) reflect.Type {
	if to, ok := s.types[t]; ok {
		return to
	}
	return t
}

// addTables adds the tables of methods of the types. An interface may be one of them, too:
// one whose methods take or return another.
func (s *swap) addTables() {
	found := map[uintptr]bool{}
	eachTable(func(slot *unsafe.Pointer) {
		t := (*itab)(*slot)
		_, other := s.words[^uintptr(t.typ)]
		_, of := s.words[^uintptr(t.inter)]
		if (other || of) && t.implements() {
			at := ^uintptr(unsafe.Pointer(t))
			found[at] = true
			known.stale[at] = implementation{^uintptr(t.inter), ^uintptr(t.typ)}
		}
	})
	for at, of := range known.stale {
		inter, t := s.to(typeAt(pointer(^of.inter))), s.to(typeAt(pointer(^of.typ)))
		s.keep(pointer(^at), unsafe.Sizeof(itab{})+wordSize*uintptr(inter.NumMethod()))
		if to := tableOf(inter, t); to != 0 {
			s.add(^at, to)
			delete(known.stale, at)
			continue
		}
		known.stale[at] = implementation{^address(inter), ^address(t)} // perhaps with its next methods
		if found[at] {
			_, _ = stderr.WriteString("values of " + plain(t.String()) + " that are in variables of " + plain(inter.String()) + " keep the methods that they had, since it no longer implements that\n")
		}
	}
}

// apply replaces the words in regions of memory.
func (s *swap) apply(memory []mapping) {
	if len(s.words) == 0 {
		return
	}
	for _, m := range memory {
		s.applyTo(m)
	}
}

const wordSize = unsafe.Sizeof(uintptr(0))

func (s *swap) applyTo(m mapping) {
	for at := m.start; at+wordSize <= m.end; at += wordSize {
		p := (*uintptr)(pointer(at))
		w := atomic.LoadUintptr(p)
		if ^w < s.low || ^w > s.high {
			continue
		}
		to, ok := s.words[^w]
		switch {
		case !ok, m.kind == heap && !s.mayBeValue(at, m), s.kept(at):
		case m.writable:
			atomic.CompareAndSwapUintptr(p, w, ^to)
		default:
			writable(at, int(wordSize), func() { atomic.CompareAndSwapUintptr(p, w, ^to) })
		}
	}
}

// mayBeValue says whether a word in the heap that is the address of a type may be a part
// of an interface, which a value's address or the value follows. The runtime's caches of
// what types implement have such words, too, and must be asked anew: in them, what follows
// is no address. And it has lists of types, and tables of which types of libraries are the
// same, which must stay as they are: there, types are one behind the other.
func (s *swap) mayBeValue(at uintptr, m mapping) bool {
	const lowest = 4096
	if at+2*wordSize > m.end {
		return true
	}
	next := atomic.LoadUintptr((*uintptr)(pointer(at + wordSize)))
	if next < lowest || s.described[^next] {
		return false
	}
	return at == m.start || !s.described[^atomic.LoadUintptr((*uintptr)(pointer(at-wordSize)))] || inHeap(next)
}

// descriptions are the addresses, inverted, of all types of the program and its libraries.
func descriptions() map[uintptr]bool {
	sections, offsets := typelinks()
	all := map[uintptr]bool{}
	for i, list := range offsets {
		for _, offset := range list {
			all[^uintptr(unsafe.Add(sections[i], offset))] = true
		}
	}
	return all
}

// pointer is an address that is known to be mapped, and not of what Go may move.
func pointer(at uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&at)) }
