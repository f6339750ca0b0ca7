package solink

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"slices"
)

// export chooses the symbols that the loader knows: those that are asked of other libraries,
// and those that are there for others.
func (l *linking) export(used map[int]bool) {
	var defined []int
	for i, s := range l.symbols {
		switch {
		case i == 0 || !s.preemptible() || s.name == "":
		case s.defined():
			defined = append(defined, i)
		case used[i]:
			l.exported = append(l.exported, i)
		}
	}
	l.hashed(defined)
	l.strtab.WriteByte(0)
	for at, i := range l.exported {
		l.symbols[i].index = at + 1
	}
}

// hashed appends the symbols that are defined in the order of their buckets, and makes the
// table by which the loader finds them.
//
// Source: https://flapenguin.me/elf-dt-gnu-hash
func (l *linking) hashed(defined []int) {
	first := len(l.exported) + 1
	buckets := uint32(max(len(defined)/2, 1))
	words := 1 // of the filter, a power of two
	for words*16 < len(defined) {
		words *= 2
	}
	const shift = 26
	sum := func(i int) uint32 { return hash(l.symbols[i].name) }
	slices.SortStableFunc(defined, func(a, b int) int { return int(sum(a)%buckets) - int(sum(b)%buckets) })
	filter := make([]uint64, words)
	starts := make([]uint32, buckets)
	chain := make([]uint32, len(defined))
	for at, i := range defined {
		h := sum(i)
		filter[h/64%uint32(words)] |= 1<<(h%64) | 1<<(h>>shift%64)
		if starts[h%buckets] == 0 {
			starts[h%buckets] = uint32(first + at)
		}
		chain[at] = h &^ 1
		if at+1 == len(defined) || sum(defined[at+1])%buckets != h%buckets {
			chain[at] |= 1
		}
	}
	var b bytes.Buffer
	for _, v := range []any{[]uint32{buckets, uint32(first), uint32(words), shift}, filter, starts, chain} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err) // a buffer takes everything, and v is of fixed size
		}
	}
	l.hash = b.Bytes()
	l.exported = append(l.exported, defined...)
}

func hash(name string) uint32 {
	h := uint32(5381)
	for i := range len(name) {
		h = h*33 + uint32(name[i])
	}
	return h
}

// table is what the loader is told of the symbols.
func (l *linking) table() []byte {
	var b bytes.Buffer
	list := []elf.Sym64{{}}
	for _, i := range l.exported {
		s := l.symbols[i]
		out := elf.Sym64{Name: uint32(l.strtab.Len()), Info: s.Info, Size: s.Size}
		if s.defined() {
			out.Value, out.Shndx = l.value(s), 1 // any section: there is no table of them
			if elf.ST_TYPE(s.Info) == elf.STT_TLS {
				out.Value = s.Value
			}
		}
		l.strtab.WriteString(s.name)
		l.strtab.WriteByte(0)
		list = append(list, out)
	}
	if err := binary.Write(&b, binary.LittleEndian, list); err != nil {
		panic(err) // as above
	}
	return b.Bytes()
}

// value is the address of a symbol that is defined.
func (l *linking) value(s symbol) uint64 {
	if elf.SectionIndex(s.Shndx) == elf.SHN_ABS {
		return s.Value
	}
	return l.sections[s.Shndx].address + s.Value
}
