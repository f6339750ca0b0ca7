package safetensors_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gradbook/gradbook/dl/internal/safetensors"
)

// TestFaulty: what the format's own reader refuses is refused here.
func TestFaulty(t *testing.T) {
	for name, want := range map[string]string{
		"overlap.st": "overlap", "dupname.st": "two named", "trailing.st": "more behind",
	} {
		if _, err := safetensors.Read(filepath.Join("testdata", name)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: expected an error with %q, got %v", name, want, err)
		}
	}
	if f, err := safetensors.Read(filepath.Join("testdata", "nan.st")); err != nil || len(f.Tensors) == 0 {
		t.Errorf("nan.st: expected tensors and a warning, got %v", err)
	}
}

// TestPipe: what is no file is refused, and not waited for.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := safetensors.Open(path); err == nil || !strings.Contains(err.Error(), "regular") {
		t.Errorf("expected an error of a regular file, got %v", err)
	}
}

// FuzzOpen: whatever a file has in it is read, or an error.
func FuzzOpen(f *testing.F) {
	paths, err := filepath.Glob(filepath.Join("testdata", "*.st"))
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	header := []byte(`{"a":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]},"__metadata__":{"x":"y"}}`)
	f.Add(append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), make([]byte, 8)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		read, err := safetensors.Read(path)
		if err != nil {
			return
		}
		n := 0
		for _, x := range read.Tensors {
			n += len(x.Values)
		}
		if n > len(b) { // each number has at least two bytes
			t.Errorf("%d numbers of %d bytes", n, len(b))
		}
	})
}
