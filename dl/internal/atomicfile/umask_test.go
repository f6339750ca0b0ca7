//go:build unix

package atomicfile

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Who may read a file is what the umask says, or what it was.
func TestPermissions(t *testing.T) {
	for _, c := range []struct {
		umask           int
		perm, old, want os.FileMode
	}{
		{0o022, 0, 0, 0o644},
		{0o077, 0, 0, 0o600},
		{0o002, 0, 0, 0o664},
		{0o077, 0o644, 0, 0o600},
		{0o022, 0o600, 0, 0o600},
		{0o077, 0, 0o640, 0o640},
		{0o022, 0, 0o666, 0o666},
		{0o022, 0o755, 0o600, 0o755},
	} {
		path := filepath.Join(t.TempDir(), "file")
		if c.old != 0 {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.old); err != nil {
				t.Fatal(err)
			}
		}
		before := syscall.Umask(c.umask)
		err := Write(path, c.perm, text("x"))
		syscall.Umask(before)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != c.want {
			t.Errorf("umask %o, permissions %o, of an old file %o: got %o, want %o", c.umask, c.perm, c.old, got, c.want)
		}
	}
}
