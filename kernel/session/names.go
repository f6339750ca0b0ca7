package session

import (
	"regexp"
	"strings"
	"unsafe"
)

// prime is what the kernel puts behind a name that has been declared anew.
var prime = regexp.MustCompile(`ʹ\d*`)

// statements is the beginning of the name of a function that holds a cell's statements,
// or is within it.
var statements = regexp.MustCompile(`^main\.Runʹ\d+`)

// entryName is what Go calls such a function.
const entryName = "main"

// plain is a name, or the text of a type, as its author wrote it.
func plain(s string) string {
	if !strings.Contains(s, "ʹ") {
		return s
	}
	return prime.ReplaceAllString(s, "")
}

// Names of types and of fields are in a library's memory as a byte of flags, the
// length as a varint, and the bytes; a tag and the place of a package's path may
// follow.
//
// Source: internal/abi, type Name.
const (
	nameHasTag = 1 << 1
	nameHasPkg = 1 << 2
)

// nameSize is a length, and how many bytes it is written with.
func nameSize(length, bytes int) [2]int { return [2]int{length, bytes} }

// nameLength reads the length of the name that begins with these flags.
func nameLength(begin *byte) [2]int {
	length, n := varint(begin, 1)
	return nameSize(length, n)
}

func varint(begin *byte, at int) (value, n int) {
	for n < 4 {
		b := *(*byte)(unsafe.Add(unsafe.Pointer(begin), at+n))
		value |= int(b&0x7f) << (7 * n)
		if n++; b&0x80 == 0 {
			break
		}
	}
	return value, n
}

// nameBytes is how long all of a name is.
func nameBytes(begin *byte) int {
	length, n := varint(begin, 1)
	end := 1 + n + length
	if *begin&nameHasTag != 0 {
		length, n := varint(begin, end)
		end += n + length
	}
	if *begin&nameHasPkg != 0 {
		end += 4
	}
	return end
}

// rename shortens a name where it is, which must be writable. What is behind it stays
// where it is.
func rename(begin *byte, to string) {
	length, n := varint(begin, 1)
	all := unsafe.Slice(begin, nameBytes(begin))
	copy(all[1+n:], append([]byte(to), all[1+n+length:]...))
	for i := range n { // as many bytes as before
		all[1+i] = byte(len(to)>>(7*i)) & 0x7f
		if i < n-1 {
			all[1+i] |= 0x80
		}
	}
}
