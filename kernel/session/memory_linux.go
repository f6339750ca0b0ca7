package session

import (
	"bytes"
	"debug/elf"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"unsafe"
)

// canRewrite says whether words in memory can be replaced here.
const canRewrite = true

// inHeap says whether an address is in Go's heap: near to what is. Go grows it in one
// place, which is another in each process.
//
// Source: runtime/malloc.go, func mallocinit.
func inHeap(at uintptr) bool {
	const far = 128 << 30
	heapSample = new([1 << 10]byte)
	sample := uintptr(unsafe.Pointer(heapSample))
	return max(at, sample)-min(at, sample) < far
}

// heapSample is in the heap.
var heapSample *[1 << 10]byte

// regions are those of the process's memory that are no code: of a library's file, or
// of some kinds.
func regions(file string, kinds regionKind) (list []mapping) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil
	}
	exe, _ := os.Readlink("/proc/self/exe")
	var before mapping
	var owner string // of the mappings before, and where its first begins
	var base uintptr
	for line := range bytes.Lines(maps) {
		if file != "" && !bytes.HasSuffix(bytes.TrimSpace(line), []byte(file)) {
			continue
		}
		m, name, ok := parseMapping(string(line))
		if name != "" && name != owner {
			owner, base = name, m.start
		}
		switch {
		case !ok:
			continue
		case file != "" || known.files[name]:
			m.kind = libraries
		case name != "" && name == exe && m.writable:
			m.kind = program
		case name == "" && m.writable && before.kind != 0 && before.kind != heap && before.end == m.start && m.start < base+memorySize(owner):
			m.kind = before.kind // variables that begin as zero are behind the others, and something else may be behind them
			m.end = min(m.end, base+memorySize(owner))
		case name == "" && m.writable && inHeap(m.start):
			m.kind = heap
		}
		before = m
		if file != "" || m.kind&kinds != 0 {
			list = append(list, m)
		}
	}
	return list
}

// memorySizes are how much memory loaded files take, by their names.
var memorySizes sync.Map

// memorySize is how much memory a program or library takes from where it begins.
func memorySize(file string) uintptr {
	if size, ok := memorySizes.Load(file); ok {
		return size.(uintptr)
	}
	open := file
	if exe, _ := os.Readlink("/proc/self/exe"); exe == file {
		open = "/proc/self/exe" // setup may have put another in its place
	}
	f, err := elf.Open(open)
	if err != nil {
		return 0
	}
	defer f.Close() //nolint:errcheck // only read from
	first, end := ^uint64(0), uint64(0)
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			first, end = min(first, p.Vaddr), max(end, p.Vaddr+p.Memsz)
		}
	}
	size := uintptr(max(end, first) - first&^uint64(os.Getpagesize()-1))
	memorySizes.Store(file, size)
	return size
}

// parseMapping reads a line such as "7f0-7f1 r--p 0 fe:00 12 /path"; ok is false for code
// and for what cannot be read.
//
// Source: proc_pid_maps(5).
func parseMapping(line string) (m mapping, name string, ok bool) {
	f := strings.Fields(line)
	if len(f) < 5 || len(f[1]) < 3 || f[1][0] != 'r' || f[1][2] == 'x' {
		return m, "", false
	}
	from, to, _ := strings.Cut(f[0], "-")
	start, errStart := strconv.ParseUint(from, 16, 64)
	end, errEnd := strconv.ParseUint(to, 16, 64)
	if i := strings.IndexByte(line, '/'); i >= 0 {
		name = strings.TrimSpace(line[i:])
	}
	return mapping{start: uintptr(start), end: uintptr(end), writable: f[1][1] == 'w'}, name, errStart == nil && errEnd == nil
}

// writable calls f while a part of memory can be written that otherwise cannot.
func writable(start uintptr, size int, f func()) {
	page := uintptr(os.Getpagesize())
	first := start &^ (page - 1)
	last := (start + uintptr(size) + page - 1) &^ (page - 1)
	all := unsafe.Slice((*byte)(pointer(first)), last-first)
	if syscall.Mprotect(all, syscall.PROT_READ|syscall.PROT_WRITE) != nil {
		return
	}
	f()
	_ = syscall.Mprotect(all, syscall.PROT_READ) // as a library's constants are
}
