package install_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/install"
	"github.com/gradbook/gradbook/kernel/install/installtest"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

// TestHomeVersions: a module that asks for another version of what the session holds gets a
// session that has it; one that asks for nothing gets the session that there is.
func TestHomeVersions(t *testing.T) {
	l := installtest.Layout(t)
	ways, err := toolchain.Ways()
	if err != nil || len(ways) == 0 {
		t.Skip("cells cannot be loaded into a session on this platform", err)
	}
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	own := func() (install.Layout, string) {
		t.Helper()
		h, err := install.Home(l, dir, t.TempDir())
		if err != nil || h == nil {
			t.Fatal(h, err)
		}
		var said bytes.Buffer
		got, err := l.For(t.Context(), h, install.NewProgress(&said))
		if err != nil {
			t.Fatal(err)
		}
		return got, said.String()
	}
	if h, err := install.Home(l, dir, t.TempDir()); h != nil || err != nil {
		t.Errorf("a folder without a module: got %v, %v", h, err)
	}
	write("go.mod", "module example.com/m\n\ngo 1.26\n")
	if got, said := own(); got != l || said != "" {
		t.Errorf("expected the session that there is, got %v, %q", got, said)
	}
	// A replacement needs no network.
	mod, err := os.ReadFile(filepath.Join(l.Workspace(), "go.mod"))
	if err != nil || !strings.Contains(string(mod), "github.com/agnivade/levenshtein") {
		t.Fatal("expected a module that little needs", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "lev"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("lev/go.mod", "module github.com/agnivade/levenshtein\n\ngo 1.21\n")
	write("lev/l.go", "package levenshtein\n\nfunc ComputeDistance(a, b string) int { return len(a) - len(b) }\n")
	write("go.mod", "module example.com/m\n\ngo 1.26\n\nrequire github.com/agnivade/levenshtein v1.2.1\n\nreplace github.com/agnivade/levenshtein => ./lev\n")
	got, said := own()
	if got == l || !strings.Contains(said, "building a session with github.com/agnivade/levenshtein v1.2.1 => "+filepath.Join(dir, "lev")) {
		t.Errorf("expected another session, got %v\n%s", got, said)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(got.State); err != nil {
			t.Error(err)
		}
	})
	if _, err := got.TryCell(t.Context(), ways...); err != nil {
		t.Error(err)
	}
	if again, said := own(); again != got || said != "" {
		t.Errorf("expected the same session at once, got %v, %q", again, said)
	}
}
