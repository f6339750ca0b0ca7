package solink

import (
	"debug/elf"
	"encoding/binary"
)

// kind is what a relocation asks for.
type kind int

const (
	address    kind = iota // of 64 bits, which the loader completes
	near                   // a distance, or parts of an address, within the library
	call                   // a jump, by way of a stub if it leaves the library
	slot                   // the place where the loader puts an address
	threadSlot             // where it puts a distance to what each thread has for itself
)

// machine is a processor's part.
type machine struct {
	machine elf.Machine
	kinds   map[uint32]kind
	stub    []byte

	// What the loader is asked for: an address of the library's, a symbol's, in data and in
	// a slot, and a distance.
	relative, absolute, globalData, threadOffset uint32
	// apply puts a distance or an address into the code at place.
	apply func(code []byte, typ uint32, target, place uint64) error
	// aim has the stub at place jump to what the slot holds.
	aim func(stub []byte, slot, place uint64) error
}

var machines = map[elf.Machine]machine{elf.EM_X86_64: amd64, elf.EM_AARCH64: arm64}

var amd64 = machine{
	machine: elf.EM_X86_64,
	kinds: map[uint32]kind{
		uint32(elf.R_X86_64_64):            address,
		uint32(elf.R_X86_64_PC32):          near,
		uint32(elf.R_X86_64_PLT32):         call,
		uint32(elf.R_X86_64_GOTPCREL):      slot,
		uint32(elf.R_X86_64_GOTPCRELX):     slot,
		uint32(elf.R_X86_64_REX_GOTPCRELX): slot,
		uint32(elf.R_X86_64_GOTTPOFF):      threadSlot,
	},
	stub:     []byte{0xff, 0x25, 0, 0, 0, 0, 0xcc, 0xcc}, // jmp *slot(%rip)
	relative: uint32(elf.R_X86_64_RELATIVE), absolute: uint32(elf.R_X86_64_64),
	globalData: uint32(elf.R_X86_64_GLOB_DAT), threadOffset: uint32(elf.R_X86_64_TPOFF64),
	apply: func(code []byte, _ uint32, target, place uint64) error {
		distance := int64(target - place)
		if distance != int64(int32(distance)) {
			return unsupported("a distance of %d", distance)
		}
		binary.LittleEndian.PutUint32(code, uint32(distance))
		return nil
	},
	aim: func(stub []byte, slot, place uint64) error {
		binary.LittleEndian.PutUint32(stub[2:], uint32(slot-(place+6)))
		return nil
	},
}

var arm64 = machine{
	machine: elf.EM_AARCH64,
	kinds: map[uint32]kind{
		uint32(elf.R_AARCH64_ABS64):                       address,
		uint32(elf.R_AARCH64_PREL32):                      near,
		uint32(elf.R_AARCH64_PREL64):                      near,
		uint32(elf.R_AARCH64_ADR_PREL_PG_HI21):            near,
		uint32(elf.R_AARCH64_ADD_ABS_LO12_NC):             near,
		uint32(elf.R_AARCH64_LDST8_ABS_LO12_NC):           near,
		uint32(elf.R_AARCH64_LDST16_ABS_LO12_NC):          near,
		uint32(elf.R_AARCH64_LDST32_ABS_LO12_NC):          near,
		uint32(elf.R_AARCH64_LDST64_ABS_LO12_NC):          near,
		uint32(elf.R_AARCH64_LDST128_ABS_LO12_NC):         near,
		uint32(elf.R_AARCH64_CALL26):                      call,
		uint32(elf.R_AARCH64_JUMP26):                      call,
		uint32(elf.R_AARCH64_ADR_GOT_PAGE):                slot,
		uint32(elf.R_AARCH64_LD64_GOT_LO12_NC):            slot,
		uint32(elf.R_AARCH64_TLSIE_ADR_GOTTPREL_PAGE21):   threadSlot,
		uint32(elf.R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC): threadSlot,
	},
	stub: []byte{ // adrp x16, slot; ldr x17, [x16, slot]; br x17; nop
		0x10, 0, 0, 0x90, 0x11, 0x02, 0x40, 0xf9, 0x20, 0x02, 0x1f, 0xd6, 0x1f, 0x20, 0x03, 0xd5,
	},
	relative: uint32(elf.R_AARCH64_RELATIVE), absolute: uint32(elf.R_AARCH64_ABS64),
	globalData: uint32(elf.R_AARCH64_GLOB_DAT), threadOffset: uint32(elf.R_AARCH64_TLS_TPREL64),
	apply: applyARM64,
	aim: func(stub []byte, slot, place uint64) error {
		if err := applyARM64(stub, uint32(elf.R_AARCH64_ADR_GOT_PAGE), slot, place); err != nil {
			return err
		}
		return applyARM64(stub[4:], uint32(elf.R_AARCH64_LD64_GOT_LO12_NC), slot, place+4)
	},
}

// scales are by how many bits the low part of an address is shifted in a load or store.
var scales = map[elf.R_AARCH64]uint{
	elf.R_AARCH64_ADD_ABS_LO12_NC:             0,
	elf.R_AARCH64_LDST8_ABS_LO12_NC:           0,
	elf.R_AARCH64_LDST16_ABS_LO12_NC:          1,
	elf.R_AARCH64_LDST32_ABS_LO12_NC:          2,
	elf.R_AARCH64_LDST64_ABS_LO12_NC:          3,
	elf.R_AARCH64_LD64_GOT_LO12_NC:            3,
	elf.R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC: 3,
	elf.R_AARCH64_LDST128_ABS_LO12_NC:         4,
}

func applyARM64(code []byte, typ uint32, target, place uint64) error {
	word := binary.LittleEndian.Uint32(code)
	distance := int64(target - place)
	switch t := elf.R_AARCH64(typ); t {
	case elf.R_AARCH64_PREL64:
		binary.LittleEndian.PutUint64(code, uint64(distance))
		return nil
	case elf.R_AARCH64_PREL32:
		word = uint32(distance)
	case elf.R_AARCH64_CALL26, elf.R_AARCH64_JUMP26:
		if distance>>27 != 0 && distance>>27 != -1 {
			return unsupported("a jump over %d bytes", distance)
		}
		word = word&^0x3ffffff | uint32(distance>>2)&0x3ffffff
	case elf.R_AARCH64_ADR_PREL_PG_HI21, elf.R_AARCH64_ADR_GOT_PAGE, elf.R_AARCH64_TLSIE_ADR_GOTTPREL_PAGE21:
		pages := int64(target>>12) - int64(place>>12)
		if pages>>20 != 0 && pages>>20 != -1 {
			return unsupported("a distance of %d pages", pages)
		}
		word = word&^(3<<29|0x7ffff<<5) | uint32(pages&3)<<29 | uint32(pages>>2&0x7ffff)<<5
	default:
		scale, ok := scales[t]
		if !ok || target&(1<<scale-1) != 0 {
			return unsupported("%v to %#x", t, target)
		}
		word = word&^(0xfff<<10) | uint32(target&0xfff>>scale)<<10
	}
	binary.LittleEndian.PutUint32(code, word)
	return nil
}
