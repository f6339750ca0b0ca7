package solink

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// Segments of a library, each with its own rights. What is in the file is at its own address
// in memory, with a page between segments.
const (
	readOnly = iota // headers, and what the loader reads
	runnable
	constants
	changing
	segments
)

type segment struct {
	flags    elf.ProgFlag
	from, to uint64 // in the file
	memory   uint64 // where it ends in memory
}

const headerSize, programSize, programHeaders = 64, 56, segments + 4

// place gives everything an address.
func (l *linking) place() {
	l.strings()
	at := uint64(headerSize + programHeaders*programSize)
	put := func(part int, size, align uint64) {
		at = (at + align - 1) &^ (align - 1)
		l.at[part], l.size[part] = at, size
		at += size
	}
	sections := func(want func(section) bool) {
		for i := range l.sections {
			if s := &l.sections[i]; s.allocated() && !s.local() && want(*s) {
				align := max(s.Addralign, 1)
				at = (at + align - 1) &^ (align - 1)
				s.address = at
				at += s.Size
			}
		}
	}
	page := func() { at = (at + l.page - 1) &^ (l.page - 1) }
	put(partHash, uint64(len(l.hash)), 8)
	put(partSymbols, uint64(1+len(l.exported))*elf.Sym64Size, 8)
	put(partStrings, uint64(l.strtab.Len()), 1)
	put(partRelocations, uint64(l.countDynamic())*24, 8)
	l.segments[readOnly] = segment{elf.PF_R, 0, at, at}
	page()
	from := at
	put(partStubs, uint64(len(l.plt)*len(l.machine.stub)), 16)
	sections(func(s section) bool { return s.runs() })
	l.segments[runnable] = segment{elf.PF_R | elf.PF_X, from, at, at}
	page()
	from = at
	sections(func(s section) bool { return !s.runs() && !s.writable() && !s.empty() })
	l.segments[constants] = segment{elf.PF_R, from, at, at}
	page()
	from = at
	sections(func(s section) bool { return s.writable() && !s.empty() && s.settled() })
	page() // what is settled when the loader is done cannot be written from then on
	l.settled = at
	sections(func(s section) bool { return s.writable() && !s.empty() && !s.settled() })
	put(partDynamic, uint64(len(l.dynamicTable()))*16, 16)
	put(partSlots, uint64(len(l.got))*8, 16)
	file := at
	sections(func(s section) bool { return s.writable() && s.empty() })
	l.segments[changing] = segment{elf.PF_R | elf.PF_W, from, file, at}
	l.image = make([]byte, file)
	for _, s := range l.sections {
		if s.allocated() && !s.local() && !s.empty() {
			copy(l.image[s.address:], s.content)
		}
	}
}

// strings makes the table of names, whose length must be known.
func (l *linking) strings() {
	_ = l.table()
}

// threadLocal is the size and alignment of what each thread has for itself.
func (l *linking) threadLocal() (size, align uint64) {
	for _, s := range l.sections {
		if s.allocated() && s.local() {
			size, align = size+s.Size, max(align, s.Addralign)
		}
	}
	return size, align
}

// initializers is where the functions are that the loader calls.
func (l *linking) initializers() (at, size uint64) {
	for _, s := range l.sections {
		if elf.SectionType(s.Type) == elf.SHT_INIT_ARRAY {
			return s.address, s.Size
		}
	}
	return 0, 0
}

func (l *linking) dynamicTable() []elf.Dyn64 {
	init, size := l.initializers()
	return []elf.Dyn64{
		{Tag: int64(elf.DT_INIT_ARRAY), Val: init},
		{Tag: int64(elf.DT_INIT_ARRAYSZ), Val: size},
		{Tag: int64(elf.DT_GNU_HASH), Val: l.at[partHash]},
		{Tag: int64(elf.DT_STRTAB), Val: l.at[partStrings]},
		{Tag: int64(elf.DT_SYMTAB), Val: l.at[partSymbols]},
		{Tag: int64(elf.DT_STRSZ), Val: l.size[partStrings]},
		{Tag: int64(elf.DT_SYMENT), Val: elf.Sym64Size},
		{Tag: int64(elf.DT_RELA), Val: l.at[partRelocations]},
		{Tag: int64(elf.DT_RELASZ), Val: l.size[partRelocations]},
		{Tag: int64(elf.DT_RELAENT), Val: 24},
		{Tag: int64(elf.DT_NULL)},
	}
}

// bytes puts the file together.
func (l *linking) bytes() []byte {
	copy(l.image[l.at[partHash]:], l.hash)
	l.strtab.Reset()
	l.strtab.WriteByte(0)
	copy(l.image[l.at[partSymbols]:], l.table())
	copy(l.image[l.at[partStrings]:], l.strtab.Bytes())
	l.fill(l.at[partRelocations], l.dynamic)
	l.fill(l.at[partDynamic], l.dynamicTable())
	h := elf.Header64{
		Type: uint16(elf.ET_DYN), Machine: uint16(l.machine.machine), Version: 1, Phoff: headerSize,
		Ehsize: headerSize, Phentsize: programSize, Phnum: programHeaders, Shentsize: 64,
	}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	var programs []elf.Prog64
	for _, s := range l.segments {
		if s.memory == s.from {
			programs = append(programs, elf.Prog64{Type: uint32(elf.PT_NULL)})
			continue
		}
		programs = append(programs, elf.Prog64{
			Type: uint32(elf.PT_LOAD), Flags: uint32(s.flags), Off: s.from, Vaddr: s.from, Paddr: s.from,
			Filesz: s.to - s.from, Memsz: s.memory - s.from, Align: l.page,
		})
	}
	dynamic, from := l.at[partDynamic], l.segments[changing].from
	local, align := l.threadLocal()
	programs = append(programs,
		elf.Prog64{Type: uint32(elf.PT_DYNAMIC), Flags: uint32(elf.PF_R | elf.PF_W), Off: dynamic, Vaddr: dynamic, Paddr: dynamic, Filesz: l.size[partDynamic], Memsz: l.size[partDynamic], Align: 8},
		elf.Prog64{Type: uint32(elf.PT_TLS), Flags: uint32(elf.PF_R), Off: dynamic, Vaddr: dynamic, Paddr: dynamic, Memsz: local, Align: max(align, 1)},
		elf.Prog64{Type: uint32(elf.PT_GNU_RELRO), Flags: uint32(elf.PF_R), Off: from, Vaddr: from, Paddr: from, Filesz: l.settled - from, Memsz: l.settled - from, Align: 1},
		elf.Prog64{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W), Align: 16},
	)
	var b bytes.Buffer
	for _, v := range []any{h, programs} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err) // a buffer takes everything, and v is of fixed size
		}
	}
	copy(l.image, b.Bytes())
	return l.image
}
