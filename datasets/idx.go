package datasets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// idxFile is a gzipped file in the IDX format, with what is known of it.
type idxFile struct {
	name, sha256 string
	dims         []int
}

// read reads the file from a folder and verifies it.
func (f idxFile) read(dir string) ([]uint8, error) {
	path := filepath.Join(dir, f.name)
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("a file is missing: %w", err)
	}
	sum := sha256.Sum256(raw)
	if got := hex.EncodeToString(sum[:]); got != f.sha256 {
		return nil, fmt.Errorf("%s is corrupt or cut short: expected SHA-256 %s, got %s of %d bytes", path, f.sha256, got, len(raw))
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	values, dims, err := readIDX(z)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if !slices.Equal(dims, f.dims) {
		return nil, fmt.Errorf("%s: expected values of shape %v, got %v", path, f.dims, dims)
	}
	return values, nil
}

// maxIDX bounds what a header may announce.
const maxIDX = 1 << 31

// readIDX reads unsigned bytes in the IDX format: two zeros, the type (8), the
// number of axes, the size of each as a big-endian 32-bit integer, then the
// values in row-major order.
//
// Source: http://yann.lecun.com/exdb/mnist/, "the IDX file format".
func readIDX(r io.Reader) (values []uint8, dims []int, err error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, nil, fmt.Errorf("expected an IDX header of 4 bytes: %w", err)
	}
	if head[0] != 0 || head[1] != 0 || head[2] != 8 || head[3] == 0 {
		return nil, nil, fmt.Errorf("expected an IDX header 00 00 08 nn, of unsigned bytes, got % x", head)
	}
	sizes := make([]uint32, head[3])
	if err := binary.Read(r, binary.BigEndian, sizes); err != nil {
		return nil, nil, fmt.Errorf("expected the sizes of %d axes: %w", head[3], err)
	}
	total := 1
	for _, s := range sizes {
		if s != 0 && total > maxIDX/int(s) {
			return nil, nil, fmt.Errorf("expected at most %d values, got shape %v", maxIDX, sizes)
		}
		total *= int(s)
		dims = append(dims, int(s))
	}
	// ReadAll grows with what comes: a header alone cannot make it allocate.
	values, err = io.ReadAll(io.LimitReader(r, int64(total)+1))
	if err != nil {
		return nil, nil, fmt.Errorf("expected %d values of shape %v: %w", total, dims, err)
	}
	if len(values) < total {
		return nil, nil, fmt.Errorf("expected %d values of shape %v, got %d", total, dims, len(values))
	}
	if len(values) > total {
		return nil, nil, fmt.Errorf("expected %d values of shape %v, got more", total, dims)
	}
	return values, dims, nil
}
