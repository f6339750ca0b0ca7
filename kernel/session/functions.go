package session

import (
	"reflect"
	"runtime"
	"strings"
	"unsafe"
)

// showPlainFunctions takes the primes out of the names of a library's functions, which
// stack traces, loggers and runtime.Caller tell. Its own statements are main's.
//
// The names stand one behind the other, with a zero byte behind each, after a header of
// sizes and offsets.
//
// Source: runtime/symtab.go, type pcHeader; debug/gosym reads the same.
func showPlainFunctions(run func()) {
	f := runtime.FuncForPC(reflect.ValueOf(run).Pointer())
	if f == nil || !canRewrite || !strings.Contains(f.Name(), "ʹ") {
		return
	}
	name := unsafe.Pointer(unsafe.StringData(f.Name()))
	const word = int(unsafe.Sizeof(uintptr(0)))
	header := unsafe.Add(name, -int(uintptr(name)%uintptr(word)))
	for back := 0; !isHeader(header); back++ {
		if header = unsafe.Add(header, -word); back > 1<<20 {
			return
		}
	}
	const names, afterNames = 4 * word, 5 * word // offsets from the header
	from, to := *(*uintptr)(unsafe.Add(header, names)), *(*uintptr)(unsafe.Add(header, afterNames))
	start := unsafe.Add(header, from)
	if from > to || uintptr(name) < uintptr(start) || uintptr(name) >= uintptr(header)+to {
		return
	}
	table := unsafe.Slice((*byte)(start), to-from)
	writable(uintptr(start), len(table), func() { plainNames(table) })
}

// isHeader says whether there is the header of a table of functions at an address.
func isHeader(at unsafe.Pointer) bool {
	h := unsafe.Slice((*byte)(at), 8)
	return h[0]&0xF0 == 0xF0 && h[1] == 0xFF && h[2] == 0xFF && h[3] == 0xFF && h[4] == 0 && h[5] == 0 && h[7] == byte(unsafe.Sizeof(uintptr(0)))
}

// plainNames shortens names, each with a zero byte behind it, where they are.
func plainNames(table []byte) {
	for len(table) > 0 {
		n := 0
		for n < len(table) && table[n] != 0 {
			n++
		}
		if name := string(table[:n]); strings.Contains(name, "ʹ") {
			to := plain(statements.ReplaceAllString(name, "main."+entryName))
			clear(table[copy(table, to):n])
		}
		table = table[min(n+1, len(table)):]
	}
}
