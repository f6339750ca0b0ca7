// Package programs runs Go's own test programs as cells of a notebook, and compares
// what they do with what they do as programs.
package programs
