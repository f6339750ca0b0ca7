package toolchain

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// addModuleData is the host's function that tells the runtime of a new piece.
const addModuleData = "runtime.addmoduledata.abi0"

// relink turns the object that Go's linker makes of cell number n, for a plugin
// that is linked against shared libraries, into one that loads into a program:
//
//   - functions are called as a program, not a library, names them;
//   - the initialiser calls the host's addmoduledata, not one of its own;
//   - the plugin's path and the names of its initialisers are n's own, or the
//     loader would take the cell for one that it has already;
//   - the hashes of the host's packages are left out, which the linker does not
//     know; the host's own hash is there instead.
//
// Source: cmd/link/internal/ld (lib.go, symtab.go, ld.go), runtime/plugin.go.
func relink(object []byte, n int) ([]byte, error) {
	o, err := parseObject(object)
	if err != nil {
		return nil, fmt.Errorf("the linker's object: %w", err)
	}
	if err := o.relink(n); err != nil {
		return nil, fmt.Errorf("the linker's object: %w", err)
	}
	return o.bytes(), nil
}

type object struct {
	machine                         elf.Machine
	file                            []byte
	shoff                           uint64
	sections                        []elf.Section64
	names                           []byte
	symbols                         []elf.Sym64
	strtab                          []byte
	symbolsAt, strtabAt, text, rela int
}

var errObject = errors.New("not of the form that is expected of this version of Go")

func parseObject(b []byte) (*object, error) {
	var h elf.Header64
	if err := binary.Read(bytes.NewReader(b), binary.LittleEndian, &h); err != nil || string(h.Ident[:4]) != elf.ELFMAG {
		return nil, errObject
	}
	o := &object{machine: elf.Machine(h.Machine), file: bytes.Clone(b), shoff: h.Shoff, sections: make([]elf.Section64, h.Shnum)}
	if err := binary.Read(bytes.NewReader(b[h.Shoff:]), binary.LittleEndian, o.sections); err != nil {
		return nil, errObject
	}
	o.names = o.content(int(h.Shstrndx))
	for i, s := range o.sections {
		switch {
		case s.Type == uint32(elf.SHT_SYMTAB):
			o.symbolsAt, o.strtabAt = i, int(s.Link)
		case o.sectionName(i) == ".text":
			o.text = i
		case s.Type == uint32(elf.SHT_RELA) && o.sectionName(int(s.Info)) == ".text":
			o.rela = i
		}
	}
	if o.symbolsAt == 0 || o.text == 0 || o.rela == 0 {
		return nil, errObject
	}
	o.strtab = bytes.Clone(o.content(o.strtabAt))
	o.symbols = make([]elf.Sym64, o.sections[o.symbolsAt].Size/24)
	return o, binary.Read(bytes.NewReader(o.content(o.symbolsAt)), binary.LittleEndian, o.symbols)
}

func (o *object) content(i int) []byte {
	s := o.sections[i]
	return o.file[s.Off : s.Off+s.Size]
}

func cstring(table []byte, at uint32) string {
	b := table[at:]
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	return string(b)
}

func (o *object) sectionName(i int) string { return cstring(o.names, o.sections[i].Name) }
func (o *object) name(s elf.Sym64) string  { return cstring(o.strtab, s.Name) }
func (o *object) addName(name string) uint32 {
	at := uint32(len(o.strtab))
	o.strtab = append(append(o.strtab, name...), 0)
	return at
}

func (o *object) relink(n int) error {
	o.strtab = bytes.ReplaceAll(o.strtab, []byte(internalABI+"\x00"), make([]byte, len(internalABI)+1))
	ownAdd, initializer, hashes := -1, -1, -1
	for i, s := range o.symbols {
		name := o.name(s)
		switch {
		case strings.HasPrefix(name, "runtime.addmoduledata"):
			ownAdd = i
		case name == "go:link.addmoduledata":
			initializer = i
		case name == "go:link.pkghashes":
			hashes = i
		}
		switch own, _ := strings.CutPrefix(strings.TrimPrefix(name, "local."), CellPath); own {
		case "..inittask", ".init", ".init.0":
			o.symbols[i].Name = o.addName(fmt.Sprintf("%s%d", name, n))
		}
	}
	if ownAdd < 0 || initializer < 0 {
		return errObject
	}
	if err := o.callHost(ownAdd, initializer); err != nil {
		return err
	}
	return o.module(n, hashes)
}

// callHost makes the initialiser call the host's addmoduledata.
func (o *object) callHost(ownAdd, initializer int) error {
	if o.machine == elf.EM_AARCH64 {
		return o.callHostARM64(ownAdd, initializer)
	}
	text := o.content(o.text)
	call := o.symbols[initializer].Value + 7 // after: lea module(%rip), %rdi
	if call+5 > uint64(len(text)) || text[call] != 0xe8 {
		return errObject
	}
	target := call + 5 + uint64(int64(int32(binary.LittleEndian.Uint32(text[call+1:]))))
	o.defineLast(ownAdd, target)
	o.symbols = append(o.symbols, elf.Sym64{Name: o.addName(addModuleData), Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC)})
	rela := bytes.NewBuffer(bytes.Clone(o.content(o.rela)))
	put(rela, elf.Rela64{Off: call + 1, Info: elf.R_INFO(uint32(len(o.symbols)-1), uint32(elf.R_X86_64_PLT32)), Addend: -4})
	o.replace(o.rela, rela.Bytes())
	return nil
}

// defineLast has a symbol be the module's own last function, from which the end of its code
// is counted.
func (o *object) defineLast(symbol int, at uint64) {
	o.symbols[symbol] = elf.Sym64{Name: o.addName("go:link.last"), Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC), Other: uint8(elf.STV_HIDDEN), Shndx: uint16(o.text), Value: at}
}

// callHostARM64 is callHost on arm64, where the linker leaves the jump to a relocation.
//
// Source: cmd/link/internal/arm64/asm.go, func gentext.
func (o *object) callHostARM64(ownAdd, initializer int) error {
	list := make([]elf.Rela64, o.sections[o.rela].Size/24)
	if err := binary.Read(bytes.NewReader(o.content(o.rela)), binary.LittleEndian, list); err != nil {
		return err
	}
	jump := o.symbols[initializer].Value + 8 // after: adrp x0, module; add x0, x0, module
	at := slices.IndexFunc(list, func(r elf.Rela64) bool { return r.Off == jump })
	if at < 0 || int(elf.R_SYM64(list[at].Info)) != ownAdd {
		return errObject
	}
	o.defineLast(ownAdd, o.symbols[ownAdd].Value) // where it would be, as the linker knows
	o.symbols = append(o.symbols, elf.Sym64{Name: o.addName(addModuleData), Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC)})
	list[at] = elf.Rela64{Off: jump, Info: elf.R_INFO(uint32(len(o.symbols)-1), elf.R_TYPE64(list[at].Info))}
	var rela bytes.Buffer
	put(&rela, list)
	o.replace(o.rela, rela.Bytes())
	return nil
}

// module edits the module's description: the plugin's path, and the hashes to leave out.
func (o *object) module(n, hashes int) error {
	module, relocs := -1, -1
	for i, s := range o.sections {
		switch {
		case o.sectionName(i) == ".go.module":
			module = i
		case s.Type == uint32(elf.SHT_RELA) && o.sectionName(int(s.Info)) == ".go.module":
			relocs = i
		}
	}
	if module < 0 || relocs < 0 {
		return errObject
	}
	list := make([]elf.Rela64, o.sections[relocs].Size/24)
	if err := binary.Read(bytes.NewReader(o.content(relocs)), binary.LittleEndian, list); err != nil {
		return err
	}
	renamed := false
	for _, r := range list {
		index := int(elf.R_SYM64(r.Info))
		if index == hashes {
			at := o.sections[module].Off + r.Off
			copy(o.file[at+8:at+24], make([]byte, 16)) // the slice's length and capacity
			continue
		}
		s := o.symbols[index]
		if s.Shndx == 0 || int(s.Shndx) >= len(o.sections) || o.sections[s.Shndx].Type != uint32(elf.SHT_PROGBITS) {
			continue
		}
		text := o.sections[s.Shndx].Off + s.Value + uint64(r.Addend)
		length := o.sections[module].Off + r.Off + 8
		if binary.LittleEndian.Uint64(o.file[length:]) == uint64(len(CellPath)) && string(o.file[text:text+uint64(len(CellPath))]) == CellPath {
			copy(o.file[text:], pluginPath(n))
			renamed = true
		}
	}
	if !renamed {
		return errObject
	}
	return nil
}

// pluginPath is a path that is as long as CellPath, and another for each cell.
func pluginPath(n int) string {
	digits := strconv.FormatInt(int64(n), 36)
	return strings.Repeat("0", max(len(CellPath)-len(digits), 0)) + digits
}

// replace puts a section's new content at the end of the file.
func (o *object) replace(i int, content []byte) {
	for len(o.file)%8 != 0 {
		o.file = append(o.file, 0)
	}
	o.sections[i].Off, o.sections[i].Size = uint64(len(o.file)), uint64(len(content))
	o.file = append(o.file, content...)
}

func (o *object) bytes() []byte {
	var symbols, headers bytes.Buffer
	put(&symbols, o.symbols)
	o.replace(o.symbolsAt, symbols.Bytes())
	o.replace(o.strtabAt, o.strtab)
	put(&headers, o.sections)
	copy(o.file[o.shoff:], headers.Bytes())
	return o.file
}
