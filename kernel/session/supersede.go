package session

import (
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"
	"unsafe"
)

// Supersede makes values of types values of those that have their places: the same,
// with other methods. Its arguments are the names of old and new types in turn. To Go
// both are types of their own, so a value of the old one that is in an interface would
// be none of the new one: not in a type switch, not to ==.
//
// In memory, that an interface holds a value of a type is a word with the address of
// the type's description, or of a table of its methods. These words are replaced, in
// whatever variable, closure, channel or stack they are. What another goroutine has in
// a register at this moment is missed.
func Supersede(names ...string) {
	if !canRewrite {
		_, _ = stderr.WriteString("values of " + plain(names[0]) + " that are in interfaces keep the methods that they had\n")
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
		if substitute(text, renamed) != text {
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
				continue
			}
			known.byText[to] = next
		}
		s.addType(t, next)
		delete(known.byText, text)
	}
	s.addTables()
	clear(s.types) // its words are no values
	s.apply(regions("", program|heap|libraries))
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
		if to, ok := names[rest[:end]]; ok {
			b.WriteString(to)
		} else {
			b.WriteString(rest[:end])
		}
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

// eachItab calls a function for each of the runtime's tables of methods.
var eachItab func(func(unsafe.Pointer))

// itab is the runtime's table of the methods with which a type implements an interface.
//
// Source: internal/abi, type ITab.
type itab struct{ inter, typ unsafe.Pointer }

// swap is which words to replace in memory. It keeps them inverted, since it is in
// memory itself.
type swap struct {
	types     map[reflect.Type]reflect.Type
	words     map[uintptr]uintptr
	low, high uintptr
}

func newSwap() *swap {
	return &swap{types: map[reflect.Type]reflect.Type{}, words: map[uintptr]uintptr{}, low: ^uintptr(0)}
}

func (s *swap) add(from, to uintptr) {
	s.words[^from] = ^to
	s.low, s.high = min(s.low, from), max(s.high, from)
}

func (s *swap) addType(from, to reflect.Type) {
	if from != to {
		s.types[from] = to
		s.add(address(from), address(to))
	}
}

// to is the type in the place of t, or t.
func (s *swap) to(t reflect.Type) reflect.Type {
	if to, ok := s.types[t]; ok {
		return to
	}
	return t
}

// addTables adds the tables of methods of the types.
func (s *swap) addTables() {
	if eachItab == nil {
		return
	}
	var found []*itab
	eachItab(func(p unsafe.Pointer) {
		t := (*itab)(p)
		if _, ok := s.words[^uintptr(t.typ)]; ok {
			found = append(found, t)
		}
	})
	for _, t := range found {
		if to := tableOf(typeAt(t.inter), s.to(typeAt(t.typ))); to != 0 {
			s.add(uintptr(unsafe.Pointer(t)), to)
		}
	}
}

// tableOf is the table of methods with which a type implements an interface; 0 if it
// does not.
func tableOf(inter, t reflect.Type) uintptr {
	if !t.Implements(inter) {
		return 0
	}
	v := reflect.New(inter)
	v.Elem().Set(reflect.Zero(t))
	return *(*uintptr)(v.UnsafePointer())
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
		if w < s.low || w > s.high {
			continue
		}
		to, ok := s.words[^w]
		switch {
		case !ok, m.kind == heap && !mayBeValue(at, m):
		case m.writable:
			atomic.CompareAndSwapUintptr(p, w, ^to)
		default:
			writable(at, int(wordSize), func() { atomic.CompareAndSwapUintptr(p, w, ^to) })
		}
	}
}

// mayBeValue says whether a word in the heap that is the address of a type may be a part
// of an interface. The runtime's caches of what types implement have such words, too,
// and must be asked anew: in them, what follows is no address.
func mayBeValue(at uintptr, m mapping) bool {
	const lowest = 4096
	return at+2*wordSize > m.end || atomic.LoadUintptr((*uintptr)(pointer(at+wordSize))) >= lowest
}

// pointer is an address that is known to be mapped, and not of what Go may move.
func pointer(at uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&at)) }
