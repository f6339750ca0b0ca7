// Package cell turns the cells of a notebook into pieces of one Go package.
//
// A cell becomes a source file that holds what the cell says and the
// declarations of earlier cells that it needs. All files belong to the same
// package, so a name, a type and an unexported field mean the same in each of
// them, and the loader takes what it has already for the same thing: a variable
// is the variable, a type the type. When a declaration changes, it and what
// depends on it get a further prime (x, xʹ1, xʹ2), since what is loaded stays.
//
// A cell goes through four steps, each a value that the next is made of:
//
//	Cell     what a person wrote, without its commands
//	Parsed   its declarations and statements          Parse(cell)
//	Change   what they change in the notebook         parsed.Against(state)
//	Checked  all that it needs, with its types        change.Check(packages)
//	File     the file to compile, and the next state  checked.Emit()
//
// None of them changes what it is given, so a cell that has a mistake, or that
// cannot be built, leaves no trace. The golden files in testdata show what
// becomes of cells.
package cell
