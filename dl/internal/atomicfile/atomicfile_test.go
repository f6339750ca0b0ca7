package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
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
