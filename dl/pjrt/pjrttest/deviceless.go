package pjrttest

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/gradbook/gradbook/dl/internal/plugin"
	"github.com/gradbook/gradbook/dl/pjrt"
)

//go:embed plugin/deviceless.c
var devicelessSource []byte

//go:embed plugin/h100.txtpb
var h100 []byte

// Deviceless compiles programs for H100s that are not there, with CUDA's own compiler.
type Deviceless struct {
	// Plugin is the path of CUDA's plugin.
	Plugin string

	t                     testing.TB
	program, target, data string
}

// NewDeviceless prepares it. The test is skipped where the plugin for CUDA 13 is not
// installed: `GRADBOOK_CUDA=13 gradbook setup` does that, also without a GPU.
func NewDeviceless(t testing.TB) *Deviceless {
	t.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler")
	}
	d := &Deviceless{t: t}
	d.Plugin, err = pjrt.CUDAs[0].Path()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(d.Plugin); err != nil {
		t.Skip("no plugin for CUDA; GRADBOOK_CUDA=13 gradbook setup installs it")
	}
	_, d.data = pjrt.CUDAOf(d.Plugin)
	dir := t.TempDir()
	code := filepath.Join(dir, "deviceless.c")
	d.program, d.target = filepath.Join(dir, "deviceless"), filepath.Join(dir, "h100.txtpb")
	for path, content := range map[string][]byte{code: devicelessSource, d.target: h100} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	compileC(t, cc, code, "-o", d.program, "-ldl")
	return d
}

// Compile compiles a program, as the fake plugin wrote it to $FAKE_PROGRAMS, for so many GPUs
// and with options of its own, and returns what XLA has made of it, as text.
func (d *Deviceless) Compile(program string, gpus int, options []plugin.Option) (hlo string) {
	d.t.Helper()
	dump := d.t.TempDir()
	withOptions := program[:len(program)-len(filepath.Ext(program))] + ".options"
	flags := "--xla_dump_to=" + dump + " --xla_gpu_cuda_data_dir=" + d.data
	for _, o := range options {
		flags += fmt.Sprintf(" --%s=%v", o.Name, o.Value)
	}
	cmd := exec.CommandContext(d.t.Context(), d.program, d.Plugin, d.target, fmt.Sprintf("1x1x%d", gpus), program, withOptions)
	cmd.Env = append(os.Environ(), "TF_CPP_MIN_LOG_LEVEL=2", "XLA_FLAGS="+flags)
	if out, err := cmd.CombinedOutput(); err != nil {
		d.t.Fatalf("%s: %v\n%.3000s", program, err, out)
	}
	files, err := filepath.Glob(filepath.Join(dump, "*gpu_after_optimizations.txt"))
	if err != nil || len(files) != 1 {
		d.t.Fatalf("expected one program in %s, got %v, %v", dump, files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}
