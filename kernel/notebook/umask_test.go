//go:build unix

package notebook_test

import (
	"os"
	"syscall"
	"testing"
)

// TestUmask: others may read what is written as far as the umask lets them.
func TestUmask(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a kernel; make check")
	}
	before := syscall.Umask(0o027)
	defer syscall.Umask(before)
	r, log, err := run(t, write(t, "1 + 1"))
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	for _, file := range []string{r.Notebook, r.Page} {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o640 {
			t.Errorf("%s: expected permissions 640, got %o", file, got)
		}
	}
}
