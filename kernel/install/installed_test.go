package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gradbook/gradbook/dl/pjrt"
	"github.com/gradbook/gradbook/kernel/children"
)

// TestInstalled: a wheel is known by what lies beside its program, and its Go and its plugin
// are those that pip has put beside it.
func TestInstalled(t *testing.T) {
	t.Setenv("GRADBOOK_CACHE", t.TempDir())
	site := filepath.Join(t.TempDir(), "lib", "python3.12", "site-packages")
	write := func(name, content string) string {
		t.Helper()
		path := filepath.Join(site, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	exe := write("gradbook/bin/gradbook", "")
	if _, ok, err := installed(exe); ok || err != nil {
		t.Errorf("a program in a folder bin: expected it not to be installed, got %v, %v", ok, err)
	}
	write("gradbook/source/go.mod", "module "+modulePath+"\n")
	l, ok, err := installed(exe)
	if !ok || err != nil || l.Shipped != "" || l.Root != filepath.Join(site, "gradbook", "source") {
		t.Errorf("a packager's: got %+v, %v, %v", l, ok, err)
	}
	write("gradbook/__init__.py", "")
	l, ok, err = installed(exe)
	if !ok || err != nil || l.Shipped != filepath.Join(site, "gradbook") || l.IsCheckout() {
		t.Fatalf("a wheel's: got %+v, %v, %v", l, ok, err)
	}
	if got := l.Program("gopls"); got != filepath.Join(site, "gradbook", "bin", executable("gopls")) {
		t.Errorf("expected the wheel's programs, got %s", got)
	}
	write("go/bin/go", "")
	if got, err := l.Go(); err != nil || got != filepath.Join(site, "go", "bin", "go") {
		t.Errorf("expected the Go beside it, got %s, %v", got, err)
	}
	w := pjrt.Wheel{Name: "x", Member: "x/plugin.so", Library: strings.Repeat("0", 64)}
	target := filepath.Join(t.TempDir(), "p", "plugin.so")
	if ok, err := l.beside(w, target); ok || err != nil {
		t.Errorf("no plugin: got %v, %v", ok, err)
	}
	library := write("x/plugin.so", "a library")
	if ok, err := l.beside(w, target); ok || err == nil {
		t.Errorf("another library than that of the pin: got %v, %v", ok, err)
	}
	if w.Library, err = fileSHA256(library); err != nil {
		t.Fatal(err)
	}
	if ok, err := l.beside(w, target); !ok || err != nil || !sameFile(library, target) {
		t.Errorf("expected a link to the library, got %v, %v", ok, err)
	}
}

// TestRemoveInstalled: the cache folder goes, also what Go lets nobody write to, and nothing
// beside it.
func TestRemoveInstalled(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("GRADBOOK_CACHE", filepath.Join(dir, "gradbook"))
	kept := filepath.Join(dir, "kept")
	for _, path := range []string{kept, filepath.Join(dir, "gradbook", "go", "mod", "m", "file")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o400); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "gradbook", "go", "mod", "m"), 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := RemoveInstalled(); err != nil {
		t.Fatal(err)
	}
	if exists(filepath.Join(dir, "gradbook")) || !exists(kept) {
		t.Error("expected the folder to be gone, and nothing else")
	}
}

// TestSweepInstalled: what was set up for a wheel that is gone goes with the next setup, and
// so does what nobody has used for long; what is in use stays.
func TestSweepInstalled(t *testing.T) {
	if len(children.Running()) > 0 {
		t.Skip("a kernel runs")
	}
	dir, there := t.TempDir(), t.TempDir()
	state := func(name, of string, age time.Duration) string {
		t.Helper()
		mark := filepath.Join(dir, name, usedBy)
		if err := os.MkdirAll(filepath.Dir(mark), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(mark, []byte(of), 0o600); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(-age)
		if err := os.Chtimes(mark, when, when); err != nil {
			t.Fatal(err)
		}
		return filepath.Dir(mark)
	}
	gone, old, other := state("gone", filepath.Join(dir, "nosuch"), 0), state("old", there, 2*unused), state("other", there, time.Hour)
	own := Layout{Root: there, State: state("own", there, 2*unused)}
	if err := own.sweepInstalled(); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{gone: false, old: false, other: true, own.State: true} {
		if exists(path) != want {
			t.Errorf("%s: expected it to be there: %v", filepath.Base(path), want)
		}
	}
}
