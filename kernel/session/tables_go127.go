//go:build go1.27

package session

import "unsafe"

// tablesAreOnce says that the runtime's table of tables of methods has one of each.
const tablesAreOnce = true

// Typemap is the runtime's map for one library from each type that it describes to the
// first description of that type, which methods refer to.
//
// Source: runtime/symtab.go, type moduledata.
type Typemap = map[unsafe.Pointer]unsafe.Pointer
