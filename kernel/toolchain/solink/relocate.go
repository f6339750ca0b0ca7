package solink

import "debug/elf"

// countDynamic is how many relocations are the loader's.
func (l *linking) countDynamic() int {
	n := len(l.got)
	for _, s := range l.sections {
		for _, r := range s.relocations {
			if l.machine.kinds[elf.R_TYPE64(r.Info)] == address {
				n++
			}
		}
	}
	return n
}

// relocate does the relocations, and leaves to the loader what only it can do.
func (l *linking) relocate() error {
	for i, index := range l.got {
		l.ask(l.at[partSlots]+uint64(8*i), index)
	}
	for i, index := range l.plt {
		at := l.at[partStubs] + uint64(i*len(l.machine.stub))
		copy(l.image[at:], l.machine.stub)
		if err := l.machine.aim(l.image[at:], l.slotOf(index), at); err != nil {
			return err
		}
	}
	for _, s := range l.sections {
		for _, r := range s.relocations {
			if err := l.one(s, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *linking) slotOf(index int) uint64 { return l.at[partSlots] + uint64(8*l.slots[index]) }

// ask has the loader fill the slot of a symbol.
func (l *linking) ask(at uint64, index int) {
	s := l.symbols[index]
	switch {
	case elf.ST_TYPE(s.Info) == elf.STT_TLS:
		l.dynamic = append(l.dynamic, elf.Rela64{Off: at, Info: elf.R_INFO(uint32(s.index), l.machine.threadOffset)})
	case s.preemptible():
		l.dynamic = append(l.dynamic, elf.Rela64{Off: at, Info: elf.R_INFO(uint32(s.index), l.machine.globalData)})
	default:
		l.dynamic = append(l.dynamic, elf.Rela64{Off: at, Info: elf.R_INFO(0, l.machine.relative), Addend: int64(l.value(s))})
	}
}

func (l *linking) one(s section, r elf.Rela64) error {
	index, typ := int(elf.R_SYM64(r.Info)), elf.R_TYPE64(r.Info)
	sym, place := l.symbols[index], s.address+r.Off
	if r.Off+4 > s.Size {
		return unsupported("a relocation beyond %s", s.name)
	}
	var target uint64
	switch l.machine.kinds[typ] {
	case address:
		if sym.preemptible() {
			l.dynamic = append(l.dynamic, elf.Rela64{Off: place, Info: elf.R_INFO(uint32(sym.index), l.machine.absolute), Addend: r.Addend})
		} else {
			l.dynamic = append(l.dynamic, elf.Rela64{Off: place, Info: elf.R_INFO(0, l.machine.relative), Addend: int64(l.value(sym)) + r.Addend})
		}
		return nil
	case slot, threadSlot:
		target = l.slotOf(index)
	case call:
		if stub, ok := l.stubs[index]; ok {
			target = l.at[partStubs] + uint64(stub*len(l.machine.stub))
			break
		}
		target = l.value(sym)
	case near:
		if !sym.defined() {
			return unsupported("a distance to %s, which is not here", sym.name)
		}
		target = l.value(sym)
	}
	return l.machine.apply(l.image[place:], typ, target+uint64(r.Addend), place)
}
