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

// stubOf returns the host program as Go's linker wants to see a shared library:
// nothing but its dynamic symbols, the descriptors of its types, and the notes.
func stubOf(program, hash string) ([]byte, error) {
	f, err := elf.Open(program)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	names := make(map[string]bool, len(symbols))
	for _, s := range symbols {
		names[s.Name] = true
	}
	if !names[addModuleData] {
		return nil, fmt.Errorf("%s: expected the symbol %s, which this version of Go does not have", program, addModuleData)
	}
	strtab, data := bytes.NewBuffer([]byte{0}), &bytes.Buffer{}
	symtab := bytes.NewBuffer(make([]byte, 24))
	sections := map[elf.SectionIndex][]byte{}
	for _, s := range symbols {
		kind := elf.ST_TYPE(s.Info)
		if s.Section == elf.SHN_UNDEF || kind != elf.STT_FUNC && kind != elf.STT_OBJECT {
			continue
		}
		name, isType := s.Name, strings.HasPrefix(s.Name, "type:")
		if kind == elf.STT_FUNC && !isType && !strings.HasSuffix(name, ".abi0") {
			name += internalABI
		}
		sym := elf.Sym64{Name: uint32(strtab.Len()), Info: s.Info, Shndx: uint16(elf.SHN_ABS), Value: s.Value, Size: s.Size}
		if kind == elf.STT_OBJECT && isType && !strings.HasPrefix(name, "type:.") {
			section := f.Sections[s.Section]
			content, ok := sections[s.Section]
			if !ok {
				if content, err = section.Data(); err != nil {
					return nil, fmt.Errorf("%s: %w", program, err)
				}
				sections[s.Section] = content
			}
			sym.Shndx, sym.Value = 1, uint64(data.Len())
			data.Write(content[s.Value-section.Addr : s.Value-section.Addr+s.Size])
		}
		put(symtab, sym)
		strtab.WriteString(name)
		strtab.WriteByte(0)
	}
	return library(f.Machine, data.Bytes(), symtab.Bytes(), strtab.Bytes(), hash), nil
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

// library puts an ELF file together.
func library(machine elf.Machine, data, symtab, strtab []byte, hash string) []byte {
	type section struct {
		name    string
		header  elf.Section64
		content []byte
	}
	sections := []section{
		{},
		{".data", elf.Section64{Type: uint32(elf.SHT_PROGBITS)}, data},
		{".dynsym", elf.Section64{Type: uint32(elf.SHT_DYNSYM), Link: 3, Info: 1, Entsize: 24}, symtab},
		{".dynstr", elf.Section64{Type: uint32(elf.SHT_STRTAB)}, strtab},
		{".note.go.abihash", elf.Section64{Type: uint32(elf.SHT_NOTE)}, note(noteABIHash, hash)},
		{".note.go.deps", elf.Section64{Type: uint32(elf.SHT_NOTE)}, note(noteDeps, "")},
		{".rela.dyn", elf.Section64{Type: uint32(elf.SHT_RELA), Link: 2, Entsize: 24}, nil},
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
	for i, s := range sections {
		if i > 0 {
			s.header.Off, s.header.Size, s.header.Addralign = uint64(64+body.Len()), uint64(len(s.content)), 1
		}
		put(&headers, s.header)
		body.Write(s.content)
	}
	header := elf.Header64{
		Type: uint16(elf.ET_DYN), Machine: uint16(machine), Version: 1, Shoff: uint64(64 + body.Len()),
		Ehsize: 64, Shentsize: 64, Shnum: uint16(len(sections)), Shstrndx: uint16(len(sections) - 1),
	}
	copy(header.Ident[:], "\x7fELF\x02\x01\x01")
	var out bytes.Buffer
	put(&out, header)
	out.Write(body.Bytes())
	out.Write(headers.Bytes())
	return out.Bytes()
}
