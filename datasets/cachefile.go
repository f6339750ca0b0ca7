package datasets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"

	"github.com/gradbook/gradbook/dl/cache"
)

// A cache file is a magic word, then the columns one behind the other, then the
// CRC-32C of all before it. The reader knows the columns' sizes.

var (
	magic      = []byte("gradbook data 1\n")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errStale   = errors.New("datasets: the cached file is not what was written")
)

// readCache reads columns of the given shapes. Any mistake means that the file
// must be made again.
func readCache(path string, dims [][]int) ([][]uint8, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	want := len(magic) + crc32.Size
	for _, d := range dims {
		want += size(d)
	}
	if len(raw) != want || !bytes.HasPrefix(raw, magic) {
		return nil, errStale
	}
	body, sum := raw[:len(raw)-crc32.Size], raw[len(raw)-crc32.Size:]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(sum) {
		return nil, errStale
	}
	body = body[len(magic):]
	columns := make([][]uint8, len(dims))
	for i, d := range dims {
		n := size(d)
		columns[i], body = body[:n:n], body[n:]
	}
	return columns, nil
}

func writeCache(path string, columns [][]uint8) error {
	return cache.Write(path, 0o644, func(w io.Writer) error {
		h := crc32.New(castagnoli)
		both := io.MultiWriter(w, h)
		for _, part := range append([][]uint8{magic}, columns...) {
			if _, err := both.Write(part); err != nil {
				return err
			}
		}
		return binary.Write(w, binary.LittleEndian, h.Sum32())
	})
}

func size(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}
