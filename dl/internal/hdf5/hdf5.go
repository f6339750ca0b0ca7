// Package hdf5 reads the numbers out of HDF5 files as Keras writes them: groups with
// symbol tables, and datasets in one piece. That is a small part of HDF5; of the
// rest, it says what it has met. No library in Go reads all of Keras's files: the
// one that comes closest gives up on groups of more than 150 members.
//
// Whatever the file holds, Read ends, and returns an error if it makes no sense.
//
// Source: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
package hdf5

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/gomlx/compute/dtypes/float16"
)

// Dataset is a tensor in row-major order.
type Dataset struct {
	Shape  []int
	Values []float32
}

// Read returns the datasets of a file by path: "layers/dense/vars/0".
func Read(file []byte) (_ map[string]Dataset, err error) {
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(failure)
			if !ok {
				panic(r)
			}
			err = fmt.Errorf("expected an HDF5 file as Keras writes it: %s", string(f))
		}
	}()
	r := &reader{file: file, seen: make(map[uint64]bool), out: make(map[string]Dataset)}
	r.object(r.superblock(), "", 0)
	return r.out, nil
}

// failure is what the reader panics with.
type failure string

func fail(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }

const (
	undefined = math.MaxUint64
	maxDepth  = 64
)

type reader struct {
	file []byte
	base uint64
	seen map[uint64]bool // so that a circle ends
	out  map[string]Dataset
}

// cursor reads numbers, which are little-endian.
type cursor struct {
	data []byte
	at   int
}

func (c *cursor) take(n uint64) []byte {
	if left := uint64(len(c.data) - c.at); n > left {
		fail("it is cut off: %d bytes wanted at %d of %d", n, c.at, len(c.data))
	}
	b := c.data[c.at : c.at+int(n)]
	c.at += int(n)
	return b
}

func (c *cursor) skip(n uint64) { c.take(n) }
func (c *cursor) u8() int       { return int(c.take(1)[0]) }
func (c *cursor) u16() int      { return int(binary.LittleEndian.Uint16(c.take(2))) }
func (c *cursor) u32() uint64   { return uint64(binary.LittleEndian.Uint32(c.take(4))) }
func (c *cursor) u64() uint64   { return binary.LittleEndian.Uint64(c.take(8)) }

func (c *cursor) signature(want string) {
	if got := string(c.take(uint64(len(want)))); got != want {
		fail("%q where %q should be", got, want)
	}
}

// cursor starts at an address.
func (r *reader) cursor(address uint64) *cursor {
	at := address + r.base
	if address == undefined || at < address || at > uint64(len(r.file)) {
		fail("an address outside the file, %#x", address)
	}
	return &cursor{data: r.file, at: int(at)}
}

// once notes that something at an address is read.
func (r *reader) once(address uint64) {
	if r.seen[address] {
		fail("the same thing met twice, at %#x", address)
	}
	r.seen[address] = true
}

// superblock returns where the root group is.
func (r *reader) superblock() uint64 {
	c := &cursor{data: r.file}
	c.signature("\x89HDF\r\n\x1a\n")
	version := c.u8()
	if version > 1 {
		fail("a superblock of version %d, which is not supported", version)
	}
	c.skip(4)
	if offsets, lengths := c.u8(), c.u8(); offsets != 8 || lengths != 8 {
		fail("addresses of other than 8 bytes")
	}
	c.skip(9)
	if version == 1 {
		c.skip(4)
	}
	r.base = c.u64()
	c.skip(32)
	return c.u64()
}

// message is a part of what an object's header says.
type message struct {
	kind int
	data []byte
}

// The kinds of messages that matter.
const (
	dataspace    = 0x01
	linkInfo     = 0x02
	datatype     = 0x03
	link         = 0x06
	layout       = 0x08
	filters      = 0x0b
	continuation = 0x10
	symbolTable  = 0x11
)

// header returns the messages of an object.
func (r *reader) header(address uint64) (all []message) {
	c := r.cursor(address)
	if v := c.u8(); v != 1 {
		fail("an object header of version %d, which is not supported", v)
	}
	c.skip(7)
	size := c.u32()
	c.skip(4)
	blocks := []*cursor{{data: c.take(size)}}
	for i := 0; i < len(blocks); i++ {
		b := blocks[i]
		for len(b.data)-b.at >= 8 {
			kind, size := b.u16(), b.u16()
			if b.u8()&2 != 0 {
				fail("a shared header message, which is not supported")
			}
			b.skip(3)
			m := message{kind, b.take(uint64(size))}
			if kind != continuation {
				all = append(all, m)
				continue
			}
			d := &cursor{data: m.data}
			at, size64 := d.u64(), d.u64()
			if len(blocks) > 1000 {
				fail("a header of too many parts")
			}
			blocks = append(blocks, &cursor{data: r.cursor(at).take(size64)})
		}
	}
	return all
}

// object reads a group or a dataset.
func (r *reader) object(address uint64, path string, depth int) {
	if depth > maxDepth {
		fail("groups within groups without end")
	}
	r.once(address)
	found := make(map[int][]byte)
	for _, m := range r.header(address) {
		found[m.kind] = m.data
	}
	switch {
	case found[layout] != nil:
		if found[filters] != nil {
			fail("%s is compressed, which is not supported", path)
		}
		r.out[path] = r.dataset(path, found[dataspace], found[datatype], found[layout])
	case found[symbolTable] != nil:
		c := &cursor{data: found[symbolTable]}
		tree, heap := c.u64(), c.u64()
		r.members(tree, r.names(heap), path, depth, 0)
	case found[link] != nil || found[linkInfo] != nil:
		fail("group %q is in the style of HDF5 1.8, which is not supported", path)
	}
}

// names returns the heap that holds a group's names.
func (r *reader) names(address uint64) []byte {
	c := r.cursor(address)
	c.signature("HEAP")
	c.skip(4)
	size := c.u64()
	c.skip(8)
	return r.cursor(c.u64()).take(size)
}

// members reads what is in a group, whose members a B-tree lists.
func (r *reader) members(address uint64, names []byte, path string, depth, level int) {
	if level > maxDepth {
		fail("a tree without end")
	}
	r.once(address)
	c := r.cursor(address)
	kind := string(c.take(4))
	switch kind {
	case "TREE":
		if c.u8() != 0 {
			fail("a tree of something else than a group's members")
		}
		c.skip(1)
		n := c.u16()
		c.skip(24)
		for range n {
			r.members(c.u64(), names, path, depth, level+1)
			c.skip(8)
		}
	case "SNOD":
		c.skip(2)
		for range c.u16() {
			at, object := c.u64(), c.u64()
			if c.u32() == 2 {
				fail("a soft link, which is not supported")
			}
			c.skip(20)
			if at >= uint64(len(names)) {
				fail("a name outside the heap")
			}
			name, _, ok := bytes.Cut(names[at:], []byte{0})
			if !ok || len(name) == 0 || strings.Contains(string(name), "/") {
				fail("a name that is none, %q", name)
			}
			r.object(object, strings.TrimPrefix(path+"/"+string(name), "/"), depth+1)
		}
	default:
		fail("%q where a tree should be", kind)
	}
}

func (r *reader) dataset(path string, space, kind, layout []byte) Dataset {
	if space == nil || kind == nil {
		fail("%s has no shape or no type", path)
	}
	shape, n := shapeOf(path, &cursor{data: space})
	size, read := numberOf(path, &cursor{data: kind})
	c := &cursor{data: layout}
	version, class := c.u8(), c.u8()
	if version != 3 || class != 1 {
		fail("%s is stored in pieces or in its header (layout %d of version %d), which is not supported", path, class, version)
	}
	at, bytes := c.u64(), c.u64()
	d := Dataset{Shape: shape}
	if n == 0 {
		return d
	}
	if bytes != n*size {
		fail("%s has %d bytes where %d numbers of %d should be", path, bytes, n, size)
	}
	data := r.cursor(at).take(bytes)
	d.Values = make([]float32, n)
	for i := range d.Values {
		d.Values[i] = read(data[uint64(i)*size:])
	}
	return d
}

func shapeOf(path string, c *cursor) (shape []int, size uint64) {
	if v := c.u8(); v != 1 {
		fail("%s has a dataspace of version %d, which is not supported", path, v)
	}
	rank := c.u8()
	c.skip(6)
	shape, size = make([]int, rank), 1
	for i := range shape {
		d := c.u64()
		if d > math.MaxInt32 || d > 0 && size > math.MaxInt32*64/d {
			fail("%s has an axis of %d", path, d)
		}
		shape[i] = int(d)
		size *= d
	}
	return shape, size
}

// numberOf returns the size of a type, and how to read it.
func numberOf(path string, c *cursor) (size uint64, read func(b []byte) float32) {
	class := c.u8() & 15
	bits := c.u8()
	c.skip(2)
	size = c.u32()
	if bits&1 != 0 && class != 5 {
		fail("%s has its numbers' bytes the other way round, which is not supported", path)
	}
	switch {
	case class == 1 && size == 4:
		return size, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }
	case class == 1 && size == 8:
		return size, func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) }
	case class == 1 && size == 2:
		return size, func(b []byte) float32 { return float16.FromBits(binary.LittleEndian.Uint16(b)).Float32() }
	case class == 5 && size == 2: // opaque: Keras's bfloat16
		return size, func(b []byte) float32 { return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16) }
	case class == 0 && size == 8:
		return size, func(b []byte) float32 { return float32(int64(binary.LittleEndian.Uint64(b))) }
	case class == 0 && size == 4:
		return size, func(b []byte) float32 { return float32(int32(binary.LittleEndian.Uint32(b))) }
	case class == 0 && size == 1 || class == 8 && size == 1:
		return size, func(b []byte) float32 { return float32(b[0]) }
	}
	fail("%s has a type of class %d and %d bytes, which is not supported", path, class, size)
	return 0, nil
}
