// Package session is the process in which the cells of a notebook live.
//
// Each cell is a library that the session loads, a further piece of the one
// package that a notebook is. So what a cell declares is there for the next:
// variables with their values, functions, types, goroutines, models on their
// devices. The kernel's other half builds the libraries; see kernel/cell for
// what is in them and kernel/toolchain for how they are linked.
//
// The session talks to the kernel by lines of JSON (see the package wire), on
// descriptors 3 (to it) and 4 (from it); what a cell prints goes out on its
// standard output and error. Package os, as the session is built, asks it before
// a write to these, for what is read from standard input, and before an end of
// the process (see Hooks).
//
// What cells call of it is package calls.
package session
