package gateway

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/gradbook/gradbook/kernel/install"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

// python runs a test of Python's against the kernel that setup has installed: the
// other end of the protocol is Jupyter's own client.
func python(t *testing.T, file string, args ...string) {
	t.Helper()
	if !toolchain.Supported() {
		t.Skip("cells cannot be loaded into a session on this platform")
	}
	l, err := install.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(l.Kernelspec()); err != nil {
		t.Fatal("the kernel is not installed; run: make setup")
	}
	script, err := filepath.Abs(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if end, ok := t.Deadline(); ok { // what it says is lost if Go's test ends first
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-time.Minute))
		defer cancel()
	}
	cmd := exec.CommandContext(ctx, l.Python(), append([]string{"-W", "ignore", script}, args...)...)
	cmd.Env = l.JupyterEnv()
	cmd.Dir = t.TempDir()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it says where it was
	cmd.WaitDelay = 10 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestConformance(t *testing.T) { python(t, "conformance.py") }

func TestFaults(t *testing.T) {
	for _, class := range []string{"Interrupts", "Deaf", "Errors", "Deaths", "Ends", "Protocol", "Stateless", "Dialect", "Start", "DiskFull"} {
		t.Run(class, func(t *testing.T) { python(t, "faults.py", class) })
	}
}

func TestCompleteness(t *testing.T) {
	for code, want := range map[string]string{
		"1+1": "complete", "x := 3\nfunc f() {}": "complete", "func f() {": "incomplete", "x := `a": "incomplete",
		"/* a": "incomplete", "a +": "incomplete", "}": "invalid", "func func": "invalid", "%who": "complete", "!ls \\": "incomplete", "": "complete",
	} {
		if got, _ := completeness(code); got != want {
			t.Errorf("%q: expected %s, got %s", code, want, got)
		}
	}
	if _, indent := completeness("func f() {\n\tif x {"); indent != "\t\t" {
		t.Errorf("expected an indent of two, got %q", indent)
	}
}

func TestParseCell(t *testing.T) {
	p := parseCell("!echo a \\\n  b\nvar x = 1\n//gonb:%% --n=3 \"a b\"\nx++\n")
	if len(p.commands) != 1 || p.commands[0] != "!echo a    b" || !p.input.HasMain || p.input.MainLine != 5 || p.input.Main != "x++\n" || p.input.Source != "\n\nvar x = 1" {
		t.Errorf("got %+v", p)
	}
	if len(p.args) != 2 || p.args[1] != "a b" {
		t.Errorf("expected the arguments --n=3 and a b, got %q", p.args)
	}
	if p := parseCell("%time x := 1"); !p.timed || p.input.Source != "x := 1" {
		t.Errorf("got %+v", p)
	}
	for code, want := range map[string]bool{"%%bash\nls": true, "%%\n1": false, "%test\nfunc TestX(t *testing.T) {}": true, "%%time\n1": false, "%%writefile x\ny": true, "widgets.Button(\"x\")": true, "x := widgets.Slider(0, 1, 0)": true, "x.widgets.Y": false, "x := widgets.IntSlider{}": false, "dom.Append(a)": true} {
		if got := isForeign(code); got != want {
			t.Errorf("%q: expected %v, got %v", code, want, got)
		}
	}
}
