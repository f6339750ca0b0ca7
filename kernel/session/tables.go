package session

import (
	"reflect"
	"sync/atomic"
	"unsafe"
)

// itab is the runtime's table of the methods with which a type implements an interface.
//
// Source: internal/abi, type ITab.
type itab struct {
	inter, typ unsafe.Pointer
	hash       uint32
}

// implements is false of a table that says that the type does not: its first method is
// missing.
func (t *itab) implements() bool {
	const methodsAt = 24
	return *(*uintptr)(unsafe.Add(unsafe.Pointer(t), methodsAt)) != 0
}

// itabTable is where the runtime finds these: the address of a variable of the
// runtime's, nil if the session's program does not lend it.
var itabTable *unsafe.Pointer

// itabs is what that points to.
//
// Source: runtime/iface.go, type itabTableType.
type itabs struct{ size, count uintptr }

// currentItabs is that variable's value, and its slots; nil and none if nobody knows.
func currentItabs() (*itabs, []unsafe.Pointer) {
	if itabTable == nil {
		return nil, nil
	}
	t := (*itabs)(atomic.LoadPointer(itabTable))
	return t, unsafe.Slice((*unsafe.Pointer)(unsafe.Add(unsafe.Pointer(t), unsafe.Sizeof(*t))), t.size)
}

// eachTable calls f for each table of methods.
func eachTable(f func(slot *unsafe.Pointer)) {
	_, slots := currentItabs()
	for i := range slots {
		if slots[i] != nil {
			f(&slots[i])
		}
	}
}

// addSlot makes a further slot refer to a table of methods, where the runtime looks for
// it by the hash of its type.
//
// Source: runtime/iface.go, func (*itabTableType) add.
func addSlot(t *itab) {
	_, slots := currentItabs()
	if len(slots) == 0 {
		return
	}
	mask := uintptr(len(slots) - 1)
	at := uintptr(typeHash(t.inter)^typeHash(t.typ)) & mask
	for i := uintptr(1); i <= mask; i++ {
		if p := atomic.LoadPointer(&slots[at]); p == unsafe.Pointer(t) || p == nil && atomic.CompareAndSwapPointer(&slots[at], nil, unsafe.Pointer(t)) {
			return
		}
		at = (at + i) & mask
	}
}

// setHash gives a type that reflect has made the hash that the compiler has for it, by
// which type switches begin, and has the runtime find its tables of methods by it.
func setHash(made reflect.Type, compiled reflect.Type) {
	hash := typeHash(description(compiled))
	if typeHash(description(made)) == hash {
		return
	}
	atomic.StoreUint32((*uint32)(unsafe.Add(description(made), hashAt)), hash)
	var own []*itab
	eachTable(func(slot *unsafe.Pointer) {
		if t := (*itab)(*slot); t.typ == description(made) {
			own = append(own, t)
		}
	})
	for _, t := range own {
		atomic.StoreUint32(&t.hash, hash)
		addSlot(t)
	}
}

// implementation is a type that implements an interface.
type implementation struct{ inter, typ uintptr }

// joinTables sees to it that there is one table for each type and interface: to compare
// the types of two values in interfaces, Go compares the tables. A library brings its
// own, also where the runtime has made one before. So it is called before a library is
// loaded, and after it.
//
// In a program, what the runtime has made is in no type switch, and needs no hash.
func joinTables() {
	eachTable(func(slot *unsafe.Pointer) {
		p := *slot
		t := (*itab)(p)
		key := implementation{^uintptr(t.inter), ^uintptr(t.typ)}
		first, ok := known.tables[key]
		switch {
		case !ok:
			known.tables[key] = ^uintptr(p)
			if t.hash == 0 {
				atomic.StoreUint32(&t.hash, typeHash(t.typ))
			}
		case first != ^uintptr(p):
			known.made.add(uintptr(p), ^first)
			atomic.StorePointer(slot, pointer(^first))
			// When the runtime makes a larger table of them, it counts each once.
			all, _ := currentItabs()
			atomic.AddUintptr(&all.count, ^uintptr(0))
		}
	})
}

// joinOwnTables sees to what joinTables does not: as of Go 1.27 the runtime leaves out a
// library's own copy of a table that it has already, so the copy is looked for in the
// library's memory. Two types and the hash of the second are a table of methods.
//
// Source: runtime/iface.go, func (*itabTableType) add.
func joinOwnTables(memory []mapping) {
	inters := map[uintptr]bool{}
	low, high := ^uintptr(0), uintptr(0)
	for key := range known.tables {
		inters[key.inter] = true
		low, high = min(low, ^key.inter), max(high, ^key.inter)
	}
	for _, m := range memory {
		for at := m.start; at+3*wordSize <= m.end; at += wordSize {
			inter := *(*uintptr)(pointer(at))
			if inter < low || inter > high || !inters[^inter] {
				continue
			}
			t := (*itab)(pointer(at))
			first, ok := known.tables[implementation{^inter, ^uintptr(t.typ)}]
			if ok && ^first != at && t.hash == typeHash(t.typ) {
				known.made.add(at, ^first)
			}
		}
	}
}

// typeHash is the hash of a type's description.
//
// Source: internal/abi, type Type.
func typeHash(description unsafe.Pointer) uint32 {
	return atomic.LoadUint32((*uint32)(unsafe.Add(description, hashAt)))
}

// hashAt is where the hash is, behind two words.
const hashAt = 16

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
