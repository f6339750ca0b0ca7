// Package installtest is for tests that run the installed kernel.
package installtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gradbook/gradbook/kernel/install"
)

// Layout returns the checkout, which must be set up: make test does it. The test is
// skipped where it is not.
func Layout(t *testing.T) install.Layout {
	t.Helper()
	l, err := install.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(l.Kernelspec(), "kernel.json")); err != nil {
		t.Skip("not set up; run make test, or make setup before go test")
	}
	return l
}
