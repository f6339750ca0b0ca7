// Package toolchain builds cells: libraries that hold a cell and are loaded into a
// session, the process whose program it builds at setup.
//
// A cell is compiled by Go's compiler as it is. Its file and those of all other cells
// are of the same package, main, so that what they declare has the same names to the
// loader, which gives a name that it has already to each library that wants it.
//
// There are two ways to make a library of it, see [Linker].
package toolchain
