// Package page has what a page is made of that tries a model: drawn digits, images or numbers go
// in, and bars come out. The page of an export computes by itself, and that of a service asks it.
package page

import _ "embed"

var (
	// HTML is the page of an export, with marks where its parts go.
	//
	//go:embed wasm.html
	HTML string
	// Script shows a model: tryModel(model, predict), where predict makes a promise of arrays
	// of numbers for the outputs out of arrays for the inputs.
	//
	//go:embed page.js
	Script string
	// Style is how it looks.
	//
	//go:embed page.css
	Style string
	// WebAssembly starts the model of an export.
	//
	//go:embed wasm.js
	WebAssembly string
)
