package pjrt

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/cache"
)

// TestChooseCUDA: the newest version that driver and GPU allow, or what was asked for.
func TestChooseCUDA(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("CUDA is for linux")
	}
	for _, c := range []struct {
		wanted     string
		gpu        bool
		driver     string
		capability float64
		want       string // a name, or part of the error
	}{
		{"", false, "", 0, ""},
		{"none", true, "580.1", 9, ""},
		{"", true, "580.65.06", 9, "cuda13"},
		{"", true, "580.65.06", 0, "cuda13"},
		{"", true, "580.65.06", 7.0, "cuda12"}, // V100
		{"", true, "550.54.15", 9, "cuda12"},
		{"", true, "", 9, "cuda12"},
		{"", true, "470.10", 9, "525"},
		{"", true, "580.1", 3.5, "3.5"},
		{"13", false, "", 0, "cuda13"},
		{"12", true, "580.1", 9, "cuda12"},
		{"11", true, "580.1", 9, `"11"`},
	} {
		got, err := choose(c.wanted, c.gpu, func() string { return c.driver }, func() []GPU { return []GPU{{Name: "A GPU", Capability: c.capability}} })
		switch {
		case got != nil && got.Name() == c.want, got == nil && err == nil && c.want == "":
		case err != nil && c.want != "" && strings.Contains(err.Error(), c.want):
		default:
			t.Errorf("%+v: got %+v, %v", c, got, err)
		}
	}
}

// TestDriver reads what the kernel modules of NVIDIA say, open ones and others.
func TestDriver(t *testing.T) {
	before := procDriver
	t.Cleanup(func() { procDriver = before })
	for text, want := range map[string]string{
		"NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\nGCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n":               "550.54.15",
		"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs-builder@U22)  Sun Jul 27 07:09:21 UTC 2025\nGCC version:  gcc 11.4.0": "580.65.06",
	} {
		procDriver = t.TempDir()
		if err := os.WriteFile(filepath.Join(procDriver, "version"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := Driver(); got != want || !HasGPU() {
			t.Errorf("expected %s, got %q, %v", want, got, HasGPU())
		}
	}
}

func TestParseSMI(t *testing.T) {
	got := parseSMI("NVIDIA H100 80GB HBM3, 580.65.06, 9.0, 81559, 81000\nTesla T4, 580.65.06, [N/A], 15360, 15000\nno line\n")
	want := []GPU{{"NVIDIA H100 80GB HBM3", "580.65.06", 9.0, 81559, 81000}, {"Tesla T4", "580.65.06", 0, 15360, 15000}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("expected %+v, got %+v", want, got)
	}
}

// TestCUDAOf: setup's plugins and those of JAX's wheels are known, others are not.
func TestCUDAOf(t *testing.T) {
	root := t.TempDir()
	t.Setenv(cache.Env, root)
	touch := func(elem ...string) string {
		path := filepath.Join(append([]string{root}, elem...)...)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for i, c := range CUDAs {
		path, err := c.Path()
		if err != nil {
			t.Fatal(err)
		}
		if got, data := CUDAOf(path); got != &CUDAs[i] || data != "" {
			t.Errorf("%s: got %v, %q", path, got, data)
		}
		want := filepath.Dir(touch("pjrt", c.Name()+"-"+c.XLA, c.Data, "file"))
		if got, data := CUDAOf(path); got != &CUDAs[i] || data != want {
			t.Errorf("%s: got %v, %q", path, got, data)
		}
		jax := touch(c.Name(), "jax_plugins", "xla_"+c.Name(), "xla_cuda_plugin.so")
		if got, data := CUDAOf(jax); got != nil || data != "" {
			t.Errorf("JAX's, of no version: got %v, %q", got, data)
		}
		touch(c.Name(), "jax_"+c.Name()+"_pjrt-"+c.XLA+".dist-info", "RECORD")
		want = filepath.Dir(touch(c.Name(), c.Data, "file"))
		if got, data := CUDAOf(jax); got != &CUDAs[i] || data != want {
			t.Errorf("JAX's: got %v, %q", got, data)
		}
		t.Setenv(PathEnv, filepath.Dir(jax))
		if got, err := Find("cuda"); err != nil || got != jax {
			t.Errorf("Find: expected %s, got %s, %v", jax, got, err)
		}
		if Preferred("cpu") {
			t.Error("expected JAX's plugin for CUDA to be none for the CPU")
		}
	}
	if got, data := CUDAOf("/some/pjrt_c_api_cuda_plugin.so"); got != nil || data != "" {
		t.Errorf("another plugin: got %v, %s", got, data)
	}
}
