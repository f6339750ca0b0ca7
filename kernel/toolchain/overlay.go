package toolchain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gradbook/gradbook/dl/cache"
)

// The session asks to be told of what package os does: of writes to standard output and
// error, so that both can be shown in their order; of reads from standard input, so
// that a person can be asked; of the end of the process, which is the cell's end only.
// A library that a cell calls does all that, too, so it cannot be had by looking at the
// cell. The host is built with a package os that calls a function first, if there is
// one, by Go's own way to build with other files.
//
// Source: go help build, -overlay.

// patches are what is put behind a line of package os, in the same line.
var patches = map[string]map[string]string{
	"file.go": {
		"func (f *File) Write(b []byte) (n int, err error) {": " if sessionWrite != nil { sessionWrite(f) };",
		"func (f *File) Read(b []byte) (n int, err error) {":  " if sessionRead != nil { if n, err, ok := sessionRead(f, b); ok { return n, err } };",
	},
	"proc.go": {
		"func Exit(code int) {": " if sessionExit != nil { sessionExit(code) };",
	},
}

const osHooks = `package os

import _ "unsafe" // for go:linkname

// What a session wants to know: see kernel/session of Gradbook.

//go:linkname sessionWrite
var sessionWrite func(f *File)

//go:linkname sessionRead
var sessionRead func(f *File, b []byte) (n int, err error, ok bool)

//go:linkname sessionExit
var sessionExit func(code int)
`

// writeOverlay writes the other files to dir, and the file that tells Go of them.
func writeOverlay(goroot, dir string) (overlay string, err error) {
	dir = filepath.Join(dir, "os")
	source := filepath.Join(goroot, "src", "os")
	replace := map[string]string{}
	write := func(name string, content []byte) error {
		replace[filepath.Join(source, name)] = filepath.Join(dir, name)
		return cache.WriteFile(filepath.Join(dir, name), content, 0o644)
	}
	for name, lines := range patches {
		content, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return "", err
		}
		for line, added := range lines {
			if bytes.Count(content, []byte(line+"\n")) != 1 {
				return "", fmt.Errorf("os/%s of this Go does not have the line %q once", name, line)
			}
			content = bytes.Replace(content, []byte(line), []byte(line+added), 1)
		}
		if err := write(name, content); err != nil {
			return "", err
		}
	}
	if err := write("session_gradbook.go", []byte(osHooks)); err != nil {
		return "", err
	}
	content, err := json.MarshalIndent(map[string]any{"Replace": replace}, "", "\t")
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(filepath.Dir(dir), overlayFile)
	return overlay, cache.WriteFile(overlay, content, 0o644)
}
