package pjrt_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/dl/pjrt"
)

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFind: the user's folders come first, then setup's, then the installer's.
func TestFind(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the names are those of linux")
	}
	home, own := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv(cache.Env, filepath.Join(home, "cache"))
	t.Setenv(pjrt.PathEnv, own)
	_, err := pjrt.Find("cpu")
	if err == nil || !strings.Contains(err.Error(), own) {
		t.Fatalf("expected an error that names the folders, got %v", err)
	}
	wheel, err := pjrt.CPU.Path()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		filepath.Join(home, ".local", "lib", "go-xla", "pjrt_c_api_cpu_v0.1_plugin.so"),
		filepath.Join(home, "cache", "lib", "go-xla", "pjrt_c_api_cpu_v0.2_plugin.so"),
		wheel,
		filepath.Join(own, "pjrt_c_api_cpu_plugin.so"),
	} {
		touch(t, path)
		if got, err := pjrt.Find("cpu"); err != nil || got != path {
			t.Errorf("expected %s, got %s, %v", path, got, err)
		}
	}
	if got, err := pjrt.Find("cuda"); err == nil {
		t.Errorf("expected no plugin for cuda, got %s", got)
	}
	cuda := filepath.Join(home, "cache", "lib", "go-xla", "nvidia", "pjrt_c_api_cuda_plugin.so")
	touch(t, cuda)
	if got, err := pjrt.Find("cuda"); err != nil || got != cuda {
		t.Errorf("expected %s, got %s, %v", cuda, got, err)
	}
	odd := filepath.Join(t.TempDir(), "a [1] b")
	t.Setenv(pjrt.PathEnv, odd)
	touch(t, filepath.Join(odd, "pjrt_c_api_cpu_plugin.so"))
	if got, err := pjrt.Find("cpu"); err != nil || filepath.Dir(got) != odd {
		t.Errorf("expected the plugin in %q, got %s, %v", odd, got, err)
	}
}
