package plugin

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestStore: a program is found by all that it depends on; a file that was damaged is not used.
func TestStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "programs")
	s := NewStore(dir, "plugin 1", 1<<20)
	key := s.key([]byte("code"), []byte("options"))
	if s.find(key) != nil {
		t.Error("expected nothing in an empty store")
	}
	s.keep(key, []byte("machine code"))
	if got := s.find(key); string(got) != "machine code" {
		t.Errorf("expected the program, got %q", got)
	}
	for _, other := range []string{
		s.key([]byte("code!"), []byte("options")),
		s.key([]byte("code"), []byte("options!")),
		s.key([]byte("ode"), []byte("optionsc")),
		NewStore(dir, "plugin 2", 1<<20).key([]byte("code"), []byte("options")),
	} {
		if other == key || s.find(other) != nil {
			t.Errorf("expected another program to have another key, got %s", other)
		}
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("expected a folder of this user's alone, got %v, %v", info, err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"a bit that flipped": func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"a file cut short":   func(b []byte) []byte { return b[:20] },
		"an empty file":      func([]byte) []byte { return nil },
	} {
		s.keep(key, []byte("machine code"))
		content, err := os.ReadFile(s.path(key))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.path(key), damage(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := s.find(key); got != nil {
			t.Errorf("%s: expected nothing, got %q", name, got)
		}
		if _, err := os.Stat(s.path(key)); !os.IsNotExist(err) {
			t.Errorf("%s: expected it to be removed, got %v", name, err)
		}
	}
}

// TestStoreOfOthers: what others can write is neither used nor added to.
func TestStoreOfOthers(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	s := NewStore(dir, "", 1<<20)
	if s.private() {
		t.Error("expected a folder that all can write to not to be private")
	}
	s.keep("key", []byte("machine code"))
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("expected nothing to be written, got %v, %v", entries, err)
	}
}

// TestStoreLimit: the programs that were not used for the longest time go, and only programs.
func TestStoreLimit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "programs")
	s := NewStore(dir, "", 10_000)
	now := time.Now()
	for i, name := range []string{"c", "a", "b"} {
		s.keep(name, make([]byte, 4_000))
		when := now.Add(time.Duration(i-10) * time.Hour)
		if err := os.Chtimes(s.path(name), when, when); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "mine"), make([]byte, 20_000), 0o600); err != nil {
		t.Fatal(err)
	}
	if s.find("c") == nil { // and so it is used last
		t.Error("expected c to be there")
	}
	NewStore(dir, "", 10_000).keep("d", make([]byte, 1_000))
	for name, want := range map[string]bool{"a": false, "b": true, "c": true, "d": true} {
		if got := s.find(name) != nil; got != want {
			t.Errorf("%s: expected %v, got %v", name, want, got)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "mine")); err != nil {
		t.Error(err)
	}
}
