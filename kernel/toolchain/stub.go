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
	types := map[uint64]uint32{} // types' indices in the table, by address
	var described []elf.Symbol
	strtab, symtab := bytes.NewBuffer([]byte{0}), bytes.NewBuffer(make([]byte, 24))
	kept := keptSections{file: f, index: map[elf.SectionIndex]uint16{}}
	for _, s := range symbols {
		kind := elf.ST_TYPE(s.Info)
		if s.Section == elf.SHN_UNDEF || kind != elf.STT_FUNC && kind != elf.STT_OBJECT || strings.HasPrefix(s.Name, CellPath+".") {
			continue
		}
		name, isType := s.Name, strings.HasPrefix(s.Name, "type:")
		if kind == elf.STT_FUNC && !isType && !strings.HasSuffix(name, ".abi0") {
			name += internalABI
		}
		sym := elf.Sym64{Name: uint32(strtab.Len()), Info: s.Info, Shndx: uint16(elf.SHN_ABS), Value: s.Value, Size: s.Size}
		if kind == elf.STT_OBJECT && isType && !strings.HasPrefix(name, "type:.") {
			if sym.Shndx, err = kept.keep(s); err != nil {
				return nil, fmt.Errorf("%s: %w", program, err)
			}
			types[s.Value] = uint32(symtab.Len() / 24)
			described = append(described, s)
		}
		put(symtab, sym)
		strtab.WriteString(name)
		strtab.WriteByte(0)
	}
	return library(f.Machine, kept.list, symtab.Bytes(), strtab.Bytes(), kept.relocations(described, types), hash), nil
}

// keptSections are the sections of the program in which types are described.
type keptSections struct {
	file  *elf.File
	index map[elf.SectionIndex]uint16 // in list, from 1
	list  []stubSection
}

type stubSection struct {
	name    string
	header  elf.Section64
	content []byte
}

// keep keeps the section of a type's descriptor, and that of the map of its
// pointers, and returns the former's index in the stub.
func (k *keptSections) keep(s elf.Symbol) (uint16, error) {
	index, err := k.add(s.Section)
	if err != nil {
		return 0, err
	}
	const gcData = 32 // offset of GCData in internal/abi.Type
	kept := k.list[index-1]
	descriptor := kept.content[s.Value-kept.header.Addr:]
	if s.Size < gcData+8 {
		return index, nil
	}
	at := binary.LittleEndian.Uint64(descriptor[gcData:])
	for i, section := range k.file.Sections {
		if at != 0 && section.Addr <= at && at < section.Addr+section.Size && section.Type == elf.SHT_PROGBITS {
			if _, err := k.add(elf.SectionIndex(i)); err != nil {
				return 0, err
			}
		}
	}
	return index, nil
}

// relocations say which types the descriptors of structs and arrays point to. In
// a program the addresses are there already, but the linker looks for a library's
// relocations.
func (k *keptSections) relocations(described []elf.Symbol, types map[uint64]uint32) []byte {
	const kindAt, kindArray, kindStruct = 23, 17, 25 // internal/abi.Type
	var b bytes.Buffer
	for _, s := range described {
		section := k.list[k.index[s.Section]-1]
		at := s.Value - section.header.Addr
		descriptor := section.content[at : at+s.Size]
		if len(descriptor) <= kindAt || descriptor[kindAt]&31 != kindArray && descriptor[kindAt]&31 != kindStruct {
			continue
		}
		for off := uint64(0); off+8 <= s.Size; off += 8 {
			if i, ok := types[binary.LittleEndian.Uint64(descriptor[off:])]; ok {
				put(&b, elf.Rela64{Off: s.Value + off, Info: elf.R_INFO(i, uint32(elf.R_X86_64_64))})
			}
		}
	}
	return b.Bytes()
}

func (k *keptSections) add(i elf.SectionIndex) (uint16, error) {
	if index, ok := k.index[i]; ok {
		return index, nil
	}
	section := k.file.Sections[i]
	content, err := section.Data()
	if err != nil {
		return 0, err
	}
	k.list = append(k.list, stubSection{section.Name, elf.Section64{Type: uint32(elf.SHT_PROGBITS), Addr: section.Addr}, content})
	k.index[i] = uint16(len(k.list))
	return k.index[i], nil
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
func library(machine elf.Machine, kept []stubSection, symtab, strtab, relocations []byte, hash string) []byte {
	dynsym := uint32(len(kept) + 1)
	sections := append([]stubSection{{}}, kept...)
	sections = append(sections,
		stubSection{".dynsym", elf.Section64{Type: uint32(elf.SHT_DYNSYM), Link: dynsym + 1, Info: 1, Entsize: 24}, symtab},
		stubSection{".dynstr", elf.Section64{Type: uint32(elf.SHT_STRTAB)}, strtab},
		stubSection{".note.go.abihash", elf.Section64{Type: uint32(elf.SHT_NOTE)}, note(noteABIHash, hash)},
		stubSection{".note.go.deps", elf.Section64{Type: uint32(elf.SHT_NOTE)}, note(noteDeps, "")},
		stubSection{".rela.dyn", elf.Section64{Type: uint32(elf.SHT_RELA), Link: dynsym, Entsize: 24}, relocations},
		stubSection{".shstrtab", elf.Section64{Type: uint32(elf.SHT_STRTAB)}, nil},
	)
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
