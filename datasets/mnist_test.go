package datasets

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gradbook/gradbook/dl/cache"
)

func TestMNIST(t *testing.T) {
	t.Setenv(cache.Env, t.TempDir())
	for _, from := range []string{"files", "cache"} {
		start := time.Now()
		train, test, err := MNIST()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("from %s: %v", from, time.Since(start))
		if train.Len() != 60000 || test.Len() != 10000 {
			t.Errorf("from %s: expected 60000 and 10000 digits, got %d and %d", from, train.Len(), test.Len())
		}
		if got := fmt.Sprint(train.InputShape()); got != "[28 28 1]" {
			t.Errorf("from %s: expected inputs [28 28 1], got %s", from, got)
		}
		labels, err := test.Take(8).Labels()
		if err != nil || fmt.Sprint(labels) != "[7 2 1 0 4 1 4 9]" {
			t.Errorf("from %s: expected the test digits to begin 7 2 1 0 4 1 4 9, got %v, %v", from, labels, err)
		}
		images, err := train.Take(1).Images()
		if err != nil {
			t.Fatal(err)
		}
		ink := 0
		for y := range 28 {
			for x := range 28 {
				if v, _, _, _ := images[0].At(x, y).RGBA(); v > 0x8000 {
					ink++
				}
			}
		}
		if ink < 50 || ink > 200 {
			t.Errorf("from %s: expected a digit's worth of ink in the first picture, got %d pixels", from, ink)
		}
	}
}

// TestCorruptCache: a cache file that is not what was written is made again.
func TestCorruptCache(t *testing.T) {
	t.Setenv(cache.Env, t.TempDir())
	if _, _, err := MNIST(); err != nil {
		t.Fatal(err)
	}
	path, err := MNISTPath()
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	for name, content := range map[string][]byte{"a flipped bit": flipped, "cut short": good[:1000], "empty": nil} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := MNIST(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, good) {
			t.Errorf("%s: the file was not made again: %v", name, err)
		}
	}
}

// TestBadFiles: a file that is corrupt, cut short or missing is named, and
// nothing is written.
func TestBadFiles(t *testing.T) {
	source, err := mnist.dir()
	if err != nil {
		t.Fatal(err)
	}
	const file = "train-labels-idx1-ubyte.gz"
	for _, c := range []struct {
		name  string
		spoil func(path string, content []byte) error
		parts []string
	}{
		{"corrupt", func(path string, c []byte) error { c[100] ^= 1; return os.WriteFile(path, c, 0o600) }, []string{file, "corrupt", "SHA-256", "3552534a"}},
		{"cut short", func(path string, c []byte) error { return os.WriteFile(path, c[:5000], 0o600) }, []string{file, "cut short", "5000 bytes"}},
		{"missing", func(path string, _ []byte) error { return os.Remove(path) }, []string{file, "missing"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			home, dir := t.TempDir(), t.TempDir()
			t.Setenv(cache.Env, home)
			for _, f := range mnistFiles {
				content, err := os.ReadFile(filepath.Join(source, "data", f.name))
				if err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(dir, f.name)
				if err := os.WriteFile(path, content, 0o600); err != nil {
					t.Fatal(err)
				}
				if f.name == file {
					if err := c.spoil(path, content); err != nil {
						t.Fatal(err)
					}
				}
			}
			_, _, err := MNISTFrom(dir)
			if err == nil {
				t.Fatal("expected an error, got none")
			}
			for _, p := range c.parts {
				if !strings.Contains(err.Error(), p) {
					t.Errorf("expected an error that says %q, got %v", p, err)
				}
			}
			if left, err := os.ReadDir(home); err != nil || len(left) != 0 {
				t.Errorf("expected nothing written, got %v, %v", left, err)
			}
		})
	}
	if _, _, err := MNISTFrom(filepath.Join(t.TempDir(), "nowhere")); err == nil {
		t.Error("no folder: expected an error, got none")
	}
}

// TestNoGo: without a go command the error says so.
func TestNoGo(t *testing.T) {
	t.Setenv(cache.Env, t.TempDir())
	t.Setenv("PATH", t.TempDir())
	if _, _, err := MNIST(); err == nil || !strings.Contains(err.Error(), "go") || !strings.Contains(err.Error(), "GoMNIST") {
		t.Errorf("expected an error about the go command, got %v", err)
	}
}

// TestFullDisk fills a small file system, where one can be mounted.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no small file system here: %s", out)
	}
	defer exec.Command("umount", dir).Run()
	t.Setenv(cache.Env, dir)
	_, _, err := MNIST()
	if err == nil || !strings.Contains(err.Error(), "is full") || !strings.Contains(err.Error(), cache.Env) {
		t.Errorf("expected an error that says that the disk is full and what to do, got %v", err)
	}
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("left behind: %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestReadIDX(t *testing.T) {
	for name, raw := range map[string][]byte{
		"empty":          {},
		"not IDX":        {'P', 'N', 'G', '!'},
		"of floats":      {0, 0, 13, 1, 0, 0, 0, 0},
		"no axes":        {0, 0, 8, 0},
		"no sizes":       {0, 0, 8, 2, 0, 0},
		"too few values": {0, 0, 8, 1, 0, 0, 0, 3, 1, 2},
		"too many":       {0, 0, 8, 1, 0, 0, 0, 1, 1, 2},
		"gigantic":       {0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
	} {
		if _, _, err := readIDX(bytes.NewReader(raw)); err == nil {
			t.Errorf("%s: expected an error, got none", name)
		}
	}
	values, dims, err := readIDX(bytes.NewReader([]byte{0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 2, 7, 9}))
	if err != nil || !slices.Equal(values, []uint8{7, 9}) || !slices.Equal(dims, []int{1, 2}) {
		t.Errorf("expected [7 9] of shape [1 2], got %v %v, %v", values, dims, err)
	}
}

func FuzzReadIDX(f *testing.F) {
	f.Add([]byte{0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 2, 7, 9})
	f.Fuzz(func(t *testing.T, raw []byte) {
		values, dims, err := readIDX(bytes.NewReader(raw))
		if err == nil && size(dims) != len(values) {
			t.Errorf("%d values of shape %v", len(values), dims)
		}
	})
}

func BenchmarkMNIST(b *testing.B) {
	for b.Loop() {
		if _, _, err := MNIST(); err != nil {
			b.Fatal(err)
		}
	}
}
