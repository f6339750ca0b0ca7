package cache_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gradbook/gradbook/dl/cache"
)

func TestDir(t *testing.T) {
	t.Setenv(cache.Env, "/some/where")
	if got, err := cache.Dir("a", "b"); err != nil || got != filepath.Join("/some/where", "a", "b") {
		t.Errorf("expected a/b in %s, got %s, %v", cache.Env, got, err)
	}
}

// TestWriteFails: what was there before stays, and nothing else is left.
func TestWriteFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "file")
	write := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	if err := cache.Write(path, 0o600, write("old")); err != nil {
		t.Fatal(err)
	}
	err := cache.Write(path, 0o600, func(w io.Writer) error {
		if err := write("half")(w); err != nil {
			return err
		}
		return fmt.Errorf("write: %w", syscall.ENOSPC)
	})
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "is full") || !strings.Contains(err.Error(), cache.Env) {
		t.Errorf("expected an error that says that the disk is full and what to do, got %v", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "old" {
		t.Errorf("expected the old file, got %q, %v", got, err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("expected nothing else in the folder, got %v, %v", entries, err)
	}
}
