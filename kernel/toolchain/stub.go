package toolchain

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
)

// The names of notes that Go's linker looks for in a shared library.
// Source: cmd/link/internal/ld/elf.go.
const (
	noteABIHash = 2
	noteDeps    = 3
)

// internalABI is what Go's linker appends to the name of a function with Go's
// own calling convention, in libraries but not in programs.
const internalABI = ".abiinternal"

// stub returns the session's program as Go's linker wants to see a shared library: its
// dynamic symbols of some names, with the descriptions of types that are among them,
// and notes. Without names, it has all symbols.
func (p *program) stub(names []string, hash string) ([]byte, error) {
	if _, ok := p.lookup(addModuleData); !ok {
		return nil, fmt.Errorf("%s: expected the symbol %s, which this version of Go does not have", p.path, addModuleData)
	}
	s := &stubWriter{program: p, at: map[int]uint32{}}
	s.symtab.Write(make([]byte, 24))
	s.strtab.WriteByte(0)
	if names == nil {
		for i := range len(p.symbols) / 24 {
			s.add(i)
		}
	}
	for _, name := range names {
		for _, n := range []string{name, name + ".abi0", p.mangled(name)} {
			if i, ok := p.lookup(n); ok {
				s.add(i)
			}
		}
	}
	for len(s.open) > 0 { // what types consist of
		next := s.open[0]
		s.open = s.open[1:]
		s.describe(next)
	}
	return s.file(hash), nil
}

// stubWriter writes a stub.
type stubWriter struct {
	*program
	at             map[int]uint32 // indices in the stub by those in the program
	symtab, strtab bytes.Buffer
	types          bytes.Buffer // descriptions of types, and masks of pointers
	open           []described  // types whose parts are not known to be there
	relocations    bytes.Buffer
}

type described struct {
	at      uint64 // in types
	content []byte
}

// typesAddress is where the stub's descriptions are, were it loaded.
const typesAddress = 1 << 20

func (s *stubWriter) add(index int) uint32 {
	if at, ok := s.at[index]; ok {
		return at
	}
	sym := s.symbol(index)
	name := s.name(sym)
	kind := elf.ST_TYPE(sym.Info)
	if sym.Shndx == uint16(elf.SHN_UNDEF) || kind != elf.STT_FUNC && kind != elf.STT_OBJECT || strings.HasPrefix(name, CellPath+".") {
		return 0
	}
	out := elf.Sym64{Name: uint32(s.strtab.Len()), Info: sym.Info, Shndx: uint16(elf.SHN_ABS), Value: sym.Value, Size: sym.Size}
	isType := strings.HasPrefix(name, "type:")
	if kind == elf.STT_FUNC && !isType && !strings.HasSuffix(name, ".abi0") {
		name += internalABI
	}
	if content := s.content(sym.Value, sym.Size); isDescribed(sym, name) && content != nil {
		out.Shndx, out.Value = 1, typesAddress+uint64(s.types.Len())
		s.types.Write(content)
		s.open = append(s.open, described{out.Value - typesAddress, content})
	}
	at := uint32(s.symtab.Len() / 24)
	s.at[index] = at
	put(&s.symtab, out)
	s.strtab.WriteString(name)
	s.strtab.WriteByte(0)
	return at
}

// Offsets in a type's description.
//
// Source: internal/abi, type Type.
const (
	pointersAt  = 8  // how many bytes of the type may hold pointers
	kindAt      = 23 // its low five bits
	masksAt     = 32 // the address of the mask of pointers
	kindArray   = 17
	kindStruct  = 25
	commonBytes = 48
)

// describe adds to the description of a type its mask of pointers, and that it refers to
// other types: in a program the addresses are there already, but the linker looks for a
// library's relocations.
func (s *stubWriter) describe(d described) {
	if len(d.content) < commonBytes {
		return
	}
	pointers := binary.LittleEndian.Uint64(d.content[pointersAt:])
	if mask := s.content(binary.LittleEndian.Uint64(d.content[masksAt:]), (pointers/8+7)/8); mask != nil {
		binary.LittleEndian.PutUint64(s.types.Bytes()[d.at+masksAt:], typesAddress+uint64(s.types.Len()))
		s.types.Write(mask)
		s.types.Write(make([]byte, (8-len(mask)%8)%8))
	}
	if kind := d.content[kindAt] & 31; kind != kindArray && kind != kindStruct {
		return
	}
	for off := commonBytes; off+8 <= len(d.content); off += 8 {
		if i, ok := s.typeAt(binary.LittleEndian.Uint64(d.content[off:])); ok {
			put(&s.relocations, elf.Rela64{Off: typesAddress + d.at + uint64(off), Info: elf.R_INFO(s.add(i), s.addressRelocation())})
		}
	}
}

// addressRelocation is the type of a relocation to an address.
func (s *stubWriter) addressRelocation() uint32 {
	if s.machine == elf.EM_AARCH64 {
		return uint32(elf.R_AARCH64_ABS64)
	}
	return uint32(elf.R_X86_64_64)
}

func put(b *bytes.Buffer, v any) {
	if err := binary.Write(b, binary.LittleEndian, v); err != nil {
		panic(err) // a buffer takes everything, and v is of fixed size
	}
}

func note(kind uint32, desc string) []byte {
	var b bytes.Buffer
	put(&b, []uint32{4, uint32(len(desc)), kind})
	b.WriteString("Go\x00\x00" + desc)
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
	return b.Bytes()
}

type stubSection struct {
	name    string
	header  elf.Section64
	content []byte
}

// file puts the ELF file together.
func (s *stubWriter) file(hash string) []byte {
	sections := []stubSection{
		{},
		{".types", elf.Section64{Type: uint32(elf.SHT_PROGBITS), Addr: typesAddress}, s.types.Bytes()},
		{".dynsym", elf.Section64{Type: uint32(elf.SHT_DYNSYM), Link: 3, Info: 1, Entsize: 24}, s.symtab.Bytes()},
		{".dynstr", elf.Section64{Type: uint32(elf.SHT_STRTAB)}, s.strtab.Bytes()},
		{".note.go.abihash", elf.Section64{Type: uint32(elf.SHT_NOTE)}, note(noteABIHash, hash)},
		{".note.go.deps", elf.Section64{Type: uint32(elf.SHT_NOTE)}, note(noteDeps, "")},
		{".rela.dyn", elf.Section64{Type: uint32(elf.SHT_RELA), Link: 2, Entsize: 24}, s.relocations.Bytes()},
		{".shstrtab", elf.Section64{Type: uint32(elf.SHT_STRTAB)}, nil},
	}
	var names, body, headers bytes.Buffer
	names.WriteByte(0)
	for i := 1; i < len(sections); i++ {
		sections[i].header.Name = uint32(names.Len())
		names.WriteString(sections[i].name)
		names.WriteByte(0)
	}
	sections[len(sections)-1].content = names.Bytes()
	for i, c := range sections {
		if i > 0 {
			c.header.Off, c.header.Size, c.header.Addralign = uint64(64+body.Len()), uint64(len(c.content)), 1
		}
		put(&headers, c.header)
		body.Write(c.content)
	}
	header := elf.Header64{
		Type: uint16(elf.ET_DYN), Machine: uint16(s.machine), Version: 1, Shoff: uint64(64 + body.Len()),
		Ehsize: 64, Shentsize: 64, Shnum: uint16(len(sections)), Shstrndx: uint16(len(sections) - 1),
	}
	copy(header.Ident[:], "\x7fELF\x02\x01\x01")
	var out bytes.Buffer
	put(&out, header)
	out.Write(body.Bytes())
	out.Write(headers.Bytes())
	return out.Bytes()
}
