package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// A file that cannot be written to its end is what it was, and nothing is left beside it.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a file")
	if err := Write(path, 0, text("old")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := Write(path, 0, func(w io.Writer) error { return errors.Join(text("ne")(w), broken) }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if got, err := os.ReadFile(path); string(got) != "old" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := Write(path, 0, text("new")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); string(got) != "new" {
		t.Errorf("got %q, %v", got, err)
	}
	if list, err := os.ReadDir(dir); len(list) != 1 {
		t.Errorf("there are %v, %v", list, err)
	}
	if err := Write(filepath.Join(dir, "nosuch", "file"), 0, text("")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestLink: a link stays one, and the file that it leads to is written.
func TestLink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("target", link); err != nil {
		t.Fatal(err)
	}
	if err := Write(link, 0, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("expected a link, got %v, %v", info, err)
	}
	if text, err := os.ReadFile(target); err != nil || string(text) != "new" {
		t.Errorf("expected the target to be written, got %q, %v", text, err)
	}
}

// TestSweep: what a write that was killed has left is removed by the next, what another write is
// about and other files are not; long names are no obstacle.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	name := strings.Repeat("n", 250)
	stale := filepath.Join(dir, "."+name[:200]+".17.tmp")
	other := filepath.Join(dir, "."+name[:200]+".notes.tmp")
	for _, path := range []string{stale, other} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		past := time.Now().Add(-48 * time.Hour)
		if err := os.Chtimes(path, past, past); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, name)
	err := Write(path, 0, func(io.Writer) error {
		return Write(path, 0, func(io.Writer) error { return nil }) // another one at the same time
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("expected %s to be gone, got %v", stale, err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
}
