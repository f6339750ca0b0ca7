package install

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/pjrt"
)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	sub := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	if l, err := Find(sub); err == nil {
		t.Errorf("no checkout: expected an error, got %s", l.Root)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module "+modulePath+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := Find(sub); err != nil || l.Root != dir {
		t.Errorf("expected %s, got %s, %v", dir, l.Root, err)
	}
}

// TestSteps: a step is done once, again when what it depends on changes, when
// its result is gone, and after a failure.
func TestSteps(t *testing.T) {
	l := Checkout(t.TempDir())
	runs, input, there := 0, "a", true
	var fail error
	s := step{
		name:        "step",
		fingerprint: func(context.Context) (string, error) { return fingerprint([]string{input}) },
		present:     func() bool { return there },
		run:         func(context.Context, *Progress) error { runs++; there = true; return fail },
	}
	do := func(want int, what string) {
		t.Helper()
		err := s.do(t.Context(), l, NewProgress(&bytes.Buffer{}))
		if !errors.Is(err, fail) {
			t.Errorf("%s: expected the error %v, got %v", what, fail, err)
		}
		if runs != want {
			t.Errorf("%s: expected %d runs, got %d", what, want, runs)
		}
	}
	do(1, "first")
	do(1, "nothing changed")
	input = "b"
	do(2, "input changed")
	there = false
	do(3, "result gone")
	input, fail = "c", errors.New("no luck")
	do(4, "failing")
	fail = nil
	do(5, "after a failure")
	input = "b"
	do(6, "back to an input that was done before the failure")
}

// TestWaits: who waits for another setup goes on when that has done what is waited for, also
// if it goes on with something else.
func TestWaits(t *testing.T) {
	l := Checkout(t.TempDir())
	held, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		_ = l.locked(t.Context(), NewProgress(&bytes.Buffer{}), func() bool { return false }, func() error {
			close(held)
			<-release
			return nil
		})
		close(done)
	}()
	<-held
	var said bytes.Buffer
	err := l.locked(t.Context(), NewProgress(&said), func() bool { return true }, func() error {
		t.Error("expected nothing to be done twice")
		return nil
	})
	if err != nil || !strings.Contains(said.String(), "waiting") {
		t.Errorf("got %v, %q", err, said.String())
	}
	close(release)
	<-done
	ran := false
	if err := l.locked(t.Context(), NewProgress(&said), func() bool { return true }, func() error { ran = true; return nil }); err != nil || !ran {
		t.Errorf("nobody else sets up: expected it to run, got %v, %v", ran, err)
	}
}

// TestInterrupted: a step that is interrupted is begun again, and says so.
func TestInterrupted(t *testing.T) {
	l := Checkout(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	s := step{
		name:        "step",
		fingerprint: func(context.Context) (string, error) { return "x", nil },
		present:     func() bool { return true },
		run:         func(ctx context.Context, _ *Progress) error { runs++; cancel(); return ctx.Err() },
	}
	err := s.do(ctx, l, NewProgress(&bytes.Buffer{}))
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "run it again") {
		t.Errorf("expected an error that says to run it again, got %v", err)
	}
	if err := s.do(t.Context(), l, NewProgress(&bytes.Buffer{})); err != nil || runs != 2 {
		t.Errorf("expected the step to be begun again, got %d runs, %v", runs, err)
	}
}

// TestCommandCancel: a program that setup runs is ended with it.
func TestCommandCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := command(ctx, NewProgress(&bytes.Buffer{}), "", nil, "sleep", "60"); err == nil {
		t.Error("expected an error, got none")
	}
	err := command(t.Context(), NewProgress(&bytes.Buffer{}), "", nil, "sh", "-c", "echo what went wrong >&2; exit 3")
	if err == nil || !strings.Contains(err.Error(), "what went wrong") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("expected the program's own words, got %v", err)
	}
}

// only makes a PATH with nothing but the named programs.
func only(t *testing.T, names ...string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Skip(err)
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

// TestRequirements: what is missing is named, with the command that installs it.
func TestRequirements(t *testing.T) {
	t.Run("go", func(t *testing.T) {
		only(t)
		if _, err := Checkout(t.TempDir()).Go(); err == nil || !strings.Contains(err.Error(), "go.dev/dl") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("python", func(t *testing.T) {
		only(t, "go")
		if err := Checkout(t.TempDir()).checkPython(t.Context()); err == nil || !strings.Contains(err.Error(), "python3") || !strings.Contains(err.Error(), "install it with") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("old python", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "python3"), []byte("#!/bin/sh\necho 3.6\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", dir)
		if err := Checkout(t.TempDir()).checkPython(t.Context()); err == nil || !strings.Contains(err.Error(), "version 3.6") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("compiler", func(t *testing.T) {
		only(t, "go")
		l := Checkout(t.TempDir())
		t.Setenv("CC", "")
		t.Setenv("GRADBOOK_DEVICE", "")
		if err := l.checkCompiler(t.Context()); err == nil || !strings.Contains(err.Error(), "C compiler") || !strings.Contains(err.Error(), "GRADBOOK_DEVICE=go") {
			t.Errorf("got %v", err)
		}
		t.Setenv("GRADBOOK_DEVICE", "go")
		if err := l.checkCompiler(t.Context()); err != nil {
			t.Errorf("pure Go needs no compiler, got %v", err)
		}
	})
	t.Run("cgo", func(t *testing.T) {
		t.Setenv("GRADBOOK_DEVICE", "")
		t.Setenv("CGO_ENABLED", "0")
		if err := Checkout(t.TempDir()).checkCompiler(t.Context()); err == nil || !strings.Contains(err.Error(), "CGO_ENABLED") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the environment's own python", func(t *testing.T) {
		l := Checkout(t.TempDir())
		bin := filepath.Dir(l.Python())
		if err := os.MkdirAll(bin, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(bin, "python3"), []byte("#!/bin/sh\necho 3.12\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", bin)
		if err := l.checkPython(t.Context()); err == nil || !strings.Contains(err.Error(), "deactivate") {
			t.Errorf("got %v", err)
		}
	})
}

// TestExtract: a wheel that is not the pinned one is refused, and nothing written.
func TestExtract(t *testing.T) {
	dir := t.TempDir()
	file, target := filepath.Join(dir, "a.whl"), filepath.Join(dir, "out", "lib.so")
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	w, err := z.Create("pkg/lib.so")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("library")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	sum, err := fileSHA256(file)
	if err != nil {
		t.Fatal(err)
	}
	good := pjrt.Wheel{Name: "a", Version: "1", SHA256: sum, Member: "pkg/lib.so"}
	other, noMember := good, good
	other.SHA256, noMember.Member = strings.Repeat("0", 64), "pkg/none.so"
	for _, w := range []pjrt.Wheel{other, noMember} {
		if err := extract(file, w, target); err == nil {
			t.Errorf("%+v: expected an error, got none", w)
		}
		if exists(filepath.Dir(target)) {
			t.Error("something was written")
		}
	}
	if err := extract(file, good, target); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(target); err != nil || string(got) != "library" {
		t.Errorf("expected the library, got %q, %v", got, err)
	}
}

// TestToolVersions: the kernel and what cells import of it are one version.
func TestToolVersions(t *testing.T) {
	version := func(mod string) string {
		content, err := os.ReadFile(mod)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			f := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
			if len(f) >= 2 && f[0] == "github.com/janpfeifer/gonb" && strings.HasPrefix(f[1], "v") {
				return f[1]
			}
		}
		t.Fatalf("%s does not require GoNB", mod)
		return ""
	}
	if a, b := version("../../go.mod"), version("tools/tools.mod"); a != b {
		t.Errorf("go.mod requires GoNB %s, kernel/install/tools/tools.mod %s", a, b)
	}
}

// TestProgress: without a terminal, quick steps leave one line each.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out).begin("tools")
	p.Note("building")
	p.end("✓")
	if got := out.String(); !strings.HasPrefix(got, "  ✓ tools (") || strings.Count(got, "\n") != 1 {
		t.Errorf("expected one line, got %q", got)
	}
}

// TestExamine looks at an empty checkout: everything that is missing is
// named, with the command that mends it.
func TestExamine(t *testing.T) {
	l := Checkout(t.TempDir())
	mends := 0
	for _, f := range Examine(t.Context(), l) {
		if !f.OK && f.Is == "" {
			t.Errorf("%s: expected words for what is wrong", f.What)
		}
		if f.Mend != "" {
			mends++
		}
	}
	if mends < 6 {
		t.Errorf("expected at least 6 findings to mend, got %d", mends)
	}
	if entries, err := os.ReadDir(l.Root); err != nil || len(entries) != 0 {
		t.Errorf("something was written: %v, %v", entries, err)
	}
}

// TestInstalledPlugin: what an installer has fetched is compared with what is known.
func TestInstalledPlugin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plugin.so")
	write := func() {
		t.Helper()
		if err := os.WriteFile(path, []byte("a library"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write()
	sum, err := fileSHA256(path)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	if err := checkInstalled(NewProgress(&said), path, nil); err != nil || !strings.Contains(said.String(), sum) {
		t.Errorf("nothing is known: expected its sum to be said, got %q, %v", said.String(), err)
	}
	said.Reset()
	if err := checkInstalled(NewProgress(&said), path, []string{"0", sum}); err != nil || said.Len() > 0 {
		t.Errorf("it is known: got %q, %v", said.String(), err)
	}
	if err := checkInstalled(NewProgress(&said), path, []string{"0"}); err == nil || !strings.Contains(err.Error(), sum) {
		t.Errorf("another is known: expected an error, got %v", err)
	}
	if exists(path) {
		t.Error("expected what is not known to be removed")
	}
}
