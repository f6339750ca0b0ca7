// Package solink makes a shared library of one object, as `ld -shared` does, for what Go's
// linker makes of a cell: on linux/amd64 and arm64, without versions of symbols, without
// symbols that must be bound early, and without other libraries. So a machine needs no
// linker of C's, and no process has to be started.
//
// What it does not know is an error that wraps [ErrUnsupported], and ld can be asked.
//
// Source: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html, and the processors'
// supplements of it.
package solink

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
)

// ErrUnsupported is what all errors wrap that say what of an object is not known here.
var ErrUnsupported = errors.New("not known to this linker")

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnsupported, fmt.Sprintf(format, args...))
}

// Link makes a library of an object, and says which symbols it asks others for.
func Link(object []byte) (library []byte, imported []string, err error) {
	l, err := parse(object)
	if err != nil {
		return nil, nil, err
	}
	if err := l.scan(); err != nil {
		return nil, nil, err
	}
	l.place()
	if err := l.relocate(); err != nil {
		return nil, nil, err
	}
	for _, i := range l.exported {
		if s := l.symbols[i]; !s.defined() {
			imported = append(imported, s.name)
		}
	}
	return l.bytes(), imported, nil
}

// linking is an object on its way to a library.
type linking struct {
	machine  machine
	sections []section
	symbols  []symbol

	// exported are the symbols that the loader knows, those that are defined at the end.
	exported []int
	hash     []byte // GNU's table of them
	strtab   bytes.Buffer

	got, plt []int       // symbols with a slot, with a stub
	slots    map[int]int // places in got
	stubs    map[int]int // places in plt
	dynamic  []elf.Rela64

	// What the linker adds, by its place in the file, which is its address.
	at, size [parts]uint64
	page     uint64
	settled  uint64 // where what can be changed for good begins
	segments [segments]segment
	image    []byte
}

// The parts that the linker makes itself.
const (
	partHash = iota
	partSymbols
	partStrings
	partRelocations
	partStubs
	partDynamic
	partSlots
	parts
)

type section struct {
	elf.Section64
	name        string
	content     []byte
	relocations []elf.Rela64
	address     uint64
}

type symbol struct {
	elf.Sym64
	name  string
	index int // among what the loader knows; 0 if it does not
}

func (s symbol) defined() bool { return elf.SectionIndex(s.Shndx) != elf.SHN_UNDEF }

// preemptible says whether another library's symbol of this name may take its place.
func (s symbol) preemptible() bool {
	return elf.ST_BIND(s.Info) != elf.STB_LOCAL && elf.ST_VISIBILITY(s.Other) == elf.STV_DEFAULT
}

func parse(object []byte) (*linking, error) {
	var h elf.Header64
	if err := binary.Read(bytes.NewReader(object), binary.LittleEndian, &h); err != nil || string(h.Ident[:4]) != elf.ELFMAG || elf.Type(h.Type) != elf.ET_REL {
		return nil, unsupported("no object")
	}
	l := &linking{slots: map[int]int{}, stubs: map[int]int{}, page: uint64(os.Getpagesize())}
	var ok bool
	if l.machine, ok = machines[elf.Machine(h.Machine)]; !ok {
		return nil, unsupported("%v", elf.Machine(h.Machine))
	}
	headers := make([]elf.Section64, h.Shnum)
	if h.Shoff > uint64(len(object)) {
		return nil, unsupported("sections beyond the file")
	}
	if err := binary.Read(bytes.NewReader(object[h.Shoff:]), binary.LittleEndian, headers); err != nil {
		return nil, unsupported("sections beyond the file")
	}
	for _, s := range headers {
		one := section{Section64: s}
		if elf.SectionType(s.Type) != elf.SHT_NOBITS {
			if s.Off+s.Size > uint64(len(object)) {
				return nil, unsupported("a section beyond the file")
			}
			one.content = object[s.Off : s.Off+s.Size]
		}
		l.sections = append(l.sections, one)
	}
	for i := range l.sections {
		l.sections[i].name = text(l.sections[h.Shstrndx].content, l.sections[i].Name)
	}
	return l, l.tables()
}

// tables reads symbols and relocations.
func (l *linking) tables() error {
	for _, s := range l.sections {
		switch elf.SectionType(s.Type) {
		case elf.SHT_SYMTAB:
			list := make([]elf.Sym64, len(s.content)/elf.Sym64Size)
			if err := binary.Read(bytes.NewReader(s.content), binary.LittleEndian, list); err != nil {
				return err
			}
			names := l.sections[s.Link].content
			for _, one := range list {
				if shndx := elf.SectionIndex(one.Shndx); shndx == elf.SHN_COMMON || shndx == elf.SHN_XINDEX {
					return unsupported("the symbol %s of section %v", text(names, one.Name), shndx)
				}
				l.symbols = append(l.symbols, symbol{Sym64: one, name: text(names, one.Name)})
			}
		case elf.SHT_RELA:
			list := make([]elf.Rela64, len(s.content)/24)
			if err := binary.Read(bytes.NewReader(s.content), binary.LittleEndian, list); err != nil {
				return err
			}
			if l.sections[s.Info].allocated() {
				l.sections[s.Info].relocations = list
			}
		case elf.SHT_REL, elf.SHT_GROUP:
			return unsupported("the section %s", s.name)
		}
	}
	return nil
}

func (s section) allocated() bool { return elf.SectionFlag(s.Flags)&elf.SHF_ALLOC != 0 }
func (s section) writable() bool  { return elf.SectionFlag(s.Flags)&elf.SHF_WRITE != 0 }
func (s section) runs() bool      { return elf.SectionFlag(s.Flags)&elf.SHF_EXECINSTR != 0 }
func (s section) local() bool     { return elf.SectionFlag(s.Flags)&elf.SHF_TLS != 0 }
func (s section) settled() bool {
	return strings.HasPrefix(s.name, ".data.rel.ro") || elf.SectionType(s.Type) == elf.SHT_INIT_ARRAY
}
func (s section) empty() bool { return elf.SectionType(s.Type) == elf.SHT_NOBITS }

func text(table []byte, at uint32) string {
	if int(at) >= len(table) {
		return ""
	}
	s, _, _ := strings.Cut(string(table[at:min(len(table), int(at)+1<<16)]), "\x00")
	return s
}

// scan finds out what the relocations need, and which symbols the loader must know.
func (l *linking) scan() error {
	used := map[int]bool{}
	for _, s := range l.sections {
		for _, r := range s.relocations {
			index := int(elf.R_SYM64(r.Info))
			kind, ok := l.machine.kinds[elf.R_TYPE64(r.Info)]
			if index >= len(l.symbols) || !ok {
				return unsupported("a relocation of type %d in %s", elf.R_TYPE64(r.Info), s.name)
			}
			sym := l.symbols[index]
			used[index] = true
			switch {
			case kind == address && !s.writable():
				return unsupported("an address of %s in %s, which is not written to", sym.name, s.name)
			case kind == slot, kind == threadSlot:
				l.needSlot(index)
			case kind == call && sym.preemptible():
				if _, ok := l.stubs[index]; !ok {
					l.stubs[index] = len(l.plt)
					l.plt = append(l.plt, index)
				}
				l.needSlot(index) // through which the stub goes
			case kind == near && sym.preemptible():
				return unsupported("a distance to %s, which may be in another library", sym.name)
			}
		}
	}
	l.export(used)
	return nil
}

// needSlot gives a symbol a slot, if it has none.
func (l *linking) needSlot(index int) {
	if _, ok := l.slots[index]; !ok {
		l.slots[index] = len(l.got)
		l.got = append(l.got, index)
	}
}

// fill writes numbers into the library.
func (l *linking) fill(at uint64, v any) {
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
		panic(err) // a buffer takes everything, and v is of fixed size
	}
	copy(l.image[at:], b.Bytes())
}
