package device

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/dl/pjrt"
)

// TestTuneXLA: flags are set for the pinned plugin only, behind the user's own,
// and taken back.
func TestTuneXLA(t *testing.T) {
	t.Setenv(cache.Env, t.TempDir())
	pinned, err := pjrt.CPU.Path()
	if err != nil {
		t.Fatal(err)
	}
	const mine = "--xla_cpu_prefer_vector_width=128"
	t.Setenv("XLA_FLAGS", mine)
	restore := tuneXLA("/some/other/plugin.so")
	if got := os.Getenv("XLA_FLAGS"); got != mine {
		t.Errorf("another plugin: expected the flags to stay, got %s", got)
	}
	restore()
	restore = tuneXLA(pinned)
	got := os.Getenv("XLA_FLAGS")
	if !strings.HasPrefix(got, mine+" ") || !strings.Contains(got, "onednn") || strings.Contains(got, "width=512") {
		t.Errorf("expected the user's flag first, and once, got %s", got)
	}
	restore()
	if got := os.Getenv("XLA_FLAGS"); got != mine {
		t.Errorf("expected the flags back, got %s", got)
	}
	if err := os.Unsetenv("XLA_FLAGS"); err != nil {
		t.Fatal(err)
	}
	tuneXLA(pinned)()
	if got, ok := os.LookupEnv("XLA_FLAGS"); ok {
		t.Errorf("expected no flags afterwards, got %q", got)
	}
}

// TestFallBack: without a plugin, and with one that cannot be loaded, a program
// computes in pure Go and says why; a device that was asked for is an error.
func TestFallBack(t *testing.T) {
	if pjrt.HasGPU() {
		t.Skip("there is a GPU")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv(cache.Env, t.TempDir())
	t.Setenv(pjrt.PathEnv, "")
	d, err := openNew("")
	if err != nil || d.Kind != "go" || !strings.Contains(d.Note, "no XLA plugin") || !strings.Contains(d.Note, "slower") {
		t.Errorf("no plugin: got %+v, %v", d, err)
	}
	if _, err := openNew("cpu"); err == nil || !strings.Contains(err.Error(), "gradbook setup") {
		t.Errorf("no plugin, but asked for: got %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/pjrt_c_api_cpu_plugin.so", []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(pjrt.PathEnv, dir)
	if d, err := openNew(""); err != nil || d.Kind != "go" || !strings.Contains(d.Note, dir) {
		t.Errorf("a plugin that is none: got %+v, %v", d, err)
	}
}

func TestOneLine(t *testing.T) {
	inner := errors.New("what is wrong")
	if got := oneLine(fmt.Errorf("many\nlines: %w", inner)); got != "what is wrong" {
		t.Errorf("got %q", got)
	}
	if got := oneLine(errors.New("first\nsecond")); got != "first" {
		t.Errorf("got %q", got)
	}
}
