package toolchain

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"debug/elf"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
)

// program is the session's program, as a file in which symbols are looked up: what of it
// a cell refers to is a few dozen of its hundred thousand.
type program struct {
	path    string
	data    []byte // of the file, mapped
	machine elf.Machine
	symbols []byte // the dynamic ones
	names   []byte
	hash    gnuHash
	loaded  []elf.SectionHeader // what has contents
	hashed  func([]byte) [32]byte

	once  sync.Once
	types []typeAddress // sorted
}

type typeAddress struct {
	address uint64
	index   int
}

// gnuHash is the table by which the loader finds symbols.
//
// Source: https://flapenguin.me/elf-dt-gnu-hash and glibc's elf/dl-lookup.c.
type gnuHash struct {
	offset  uint32
	buckets []byte
	chain   []byte
}

var errProgram = errors.New("the session's program is not of the form that is expected")

func openProgram(path string) (*program, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	p := &program{path: path}
	if p.data, err = mapFile(f, info.Size()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := p.read(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), p.close())
	}
	return p, nil
}

func (p *program) close() error { return unmapFile(p.data) }

func (p *program) read() error {
	f, err := elf.NewFile(bytes.NewReader(p.data))
	if err != nil {
		return err
	}
	p.machine = f.Machine
	section := func(name string) []byte {
		s := f.Section(name)
		if s == nil || s.Type == elf.SHT_NOBITS || s.Offset+s.FileSize > uint64(len(p.data)) {
			return nil
		}
		return p.data[s.Offset : s.Offset+s.FileSize]
	}
	p.symbols, p.names = section(".dynsym"), section(".dynstr")
	hash := section(".gnu.hash")
	if len(p.symbols) == 0 || len(p.names) == 0 || len(hash) < 16 {
		return errProgram
	}
	buckets, offset, bloom := binary.LittleEndian.Uint32(hash), binary.LittleEndian.Uint32(hash[4:]), binary.LittleEndian.Uint32(hash[8:])
	at := 16 + 8*uint64(bloom)
	if uint64(len(hash)) < at+4*uint64(buckets) || buckets == 0 {
		return errProgram
	}
	p.hash = gnuHash{offset, hash[at : at+4*uint64(buckets)], hash[at+4*uint64(buckets):]}
	for _, s := range f.Sections {
		if s.Type == elf.SHT_PROGBITS && s.Addr != 0 {
			p.loaded = append(p.loaded, s.SectionHeader)
		}
	}
	return p.chooseHash()
}

// chooseHash finds out how this Go's linker shortens the names of types.
//
// Source: cmd/internal/hash.
func (p *program) chooseHash() error {
	const known = "type:*bytes.Buffer"
	for _, first := range []byte{0xff, 0} {
		p.hashed = func(b []byte) [32]byte {
			sum := sha256.Sum256(b)
			sum[0] ^= first
			return sum
		}
		if _, ok := p.lookup(p.mangled(known)); ok {
			return nil
		}
	}
	return errProgram
}

// mangled is the name under which the loader knows a symbol.
//
// Source: cmd/link/internal/ld/lib.go, func typeSymbolMangle.
func (p *program) mangled(name string) string {
	isType := strings.HasPrefix(name, "type:")
	at := strings.Contains(name, "@")
	short := func(s string) string {
		sum := p.hashed([]byte(s))
		return base64.StdEncoding.EncodeToString(sum[:6])
	}
	switch {
	case !isType && !at, strings.HasPrefix(name, "type:runtime."), strings.HasPrefix(name, "go:string."), len(name) <= 14 && !at:
		return name
	case isType && name[5] == '.':
		return "type:." + short(name[5:])
	case isType:
		return "type:" + short(name[5:])
	}
	i, j := strings.IndexByte(name, '['), strings.LastIndexByte(name, ']')
	if j == -1 || j <= i {
		j = len(name)
	}
	return name[:i+1] + short(name[i+1:j]) + name[j:]
}

func (p *program) symbol(index int) elf.Sym64 {
	b := p.symbols[24*index:]
	return elf.Sym64{
		Name: binary.LittleEndian.Uint32(b), Info: b[4], Other: b[5], Shndx: binary.LittleEndian.Uint16(b[6:]),
		Value: binary.LittleEndian.Uint64(b[8:]), Size: binary.LittleEndian.Uint64(b[16:]),
	}
}

func (p *program) name(s elf.Sym64) string { return cstring(p.names, s.Name) }

// lookup finds a symbol that the program defines.
func (p *program) lookup(name string) (index int, ok bool) {
	h := uint32(5381)
	for i := range len(name) {
		h = h*33 + uint32(name[i])
	}
	n := uint32(len(p.hash.buckets) / 4)
	i := binary.LittleEndian.Uint32(p.hash.buckets[4*(h%n):])
	if i < p.hash.offset {
		return 0, false
	}
	for ; int(4*(i-p.hash.offset))+4 <= len(p.hash.chain) && int(24*i)+24 <= len(p.symbols); i++ {
		have := binary.LittleEndian.Uint32(p.hash.chain[4*(i-p.hash.offset):])
		if have|1 == h|1 {
			if s := p.symbol(int(i)); s.Shndx != uint16(elf.SHN_UNDEF) && p.name(s) == name {
				return int(i), true
			}
		}
		if have&1 != 0 {
			break
		}
	}
	return 0, false
}

// content is a part of the program's memory as it is when it starts; nil if it is not in
// the file.
func (p *program) content(address, size uint64) []byte {
	for _, s := range p.loaded {
		if s.Addr <= address && address+size <= s.Addr+s.Size {
			at := s.Offset + address - s.Addr
			return p.data[at : at+size]
		}
	}
	return nil
}

// typeAt finds the type whose description is at an address.
func (p *program) typeAt(address uint64) (index int, ok bool) {
	p.once.Do(func() {
		for i := range len(p.symbols) / 24 {
			if s := p.symbol(i); isDescribed(s, p.name(s)) {
				p.types = append(p.types, typeAddress{s.Value, i})
			}
		}
		slices.SortFunc(p.types, func(a, b typeAddress) int { return cmp.Compare(a.address, b.address) })
	})
	at, found := slices.BinarySearchFunc(p.types, address, func(t typeAddress, a uint64) int { return cmp.Compare(t.address, a) })
	if !found {
		return 0, false
	}
	return p.types[at].index, true
}

// isDescribed says whether a symbol is the description of a type, which the linker reads.
func isDescribed(s elf.Sym64, name string) bool {
	return s.Shndx != uint16(elf.SHN_UNDEF) && elf.ST_TYPE(s.Info) == elf.STT_OBJECT && strings.HasPrefix(name, "type:") && !strings.HasPrefix(name, "type:.")
}
