package toolchain

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// archive is what the compiler writes: what the package exports, and an object.
//
// Source: cmd/internal/goobj/objfile.go, cmd/internal/archive.
type archive struct {
	content []byte
	object  int // where it begins
}

// goobj's header and its blocks, as far as they are used here.
const (
	objectMagic   = "\x00go120ld"
	fingerprintAt = len(objectMagic)
	offsetsAt     = fingerprintAt + 8 + 4
	blockSymdef   = 3
	blockNonpkg   = 7 // ends what is defined
	blockRefs     = 8 // ends what is referred to by name
	symbolSize    = 21
)

var errArchive = errors.New("the compiler's archive is not of the form that is expected of this version of Go")

func openArchive(path string) (*archive, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	a := &archive{content: content, object: bytes.Index(content, []byte(objectMagic))}
	if a.object < 0 {
		return nil, fmt.Errorf("%s: %w", path, errArchive)
	}
	return a, nil
}

func (a *archive) write(path string) error { return os.WriteFile(path, a.content, 0o600) }

// fingerprint tells packages apart that export different things.
func (a *archive) fingerprint() []byte {
	at := a.object + fingerprintAt
	return bytes.Clone(a.content[at : at+8])
}

// setFingerprint gives the package another fingerprint, also in what it exports, whose
// end it is.
func (a *archive) setFingerprint(f []byte) error {
	own := a.fingerprint()
	end := bytes.LastIndex(a.content[:a.object], append(bytes.Clone(own), "\n$$\n"...))
	if end < 0 {
		return errArchive
	}
	copy(a.content[end:], f)
	copy(a.content[a.object+fingerprintAt:], f)
	return nil
}

func (a *archive) offset(block int) int {
	return int(binary.LittleEndian.Uint32(a.content[a.object+offsetsAt+4*block:]))
}

// symbols calls f for the symbols of some blocks, with where their records are.
func (a *archive) symbols(from, to int, f func(name string, at int)) error {
	if len(a.content) < a.object+offsetsAt+4*(to+1) {
		return errArchive
	}
	end := a.offset(to)
	for at := a.offset(from); at+symbolSize <= end; at += symbolSize {
		record := a.object + at
		if record+symbolSize > len(a.content) {
			return errArchive
		}
		n := int(binary.LittleEndian.Uint32(a.content[record:]))
		name := a.object + int(binary.LittleEndian.Uint32(a.content[record+4:]))
		if name+n > len(a.content) {
			return errArchive
		}
		f(string(a.content[name:name+n]), record)
	}
	return nil
}

// hideExports takes from the linker the table of what a plugin exports: a cell is not
// found by names, and its upper-case names are no more public than the others.
func (a *archive) hideExports() error {
	return a.symbols(blockSymdef, blockNonpkg, func(name string, record int) {
		if name == "go:plugin.tabs" || name == "go:plugin.exports" {
			// All but the last letter of the name.
			binary.LittleEndian.PutUint32(a.content[record:], uint32(len(name)-1))
		}
	})
}

// references are the names of what the object does not define.
func (a *archive) references() (names []string, err error) {
	err = a.symbols(blockNonpkg, blockRefs, func(name string, _ int) { names = append(names, name) })
	return names, err
}
