//go:build linux

package children

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The guard is this test's program, called as the kernel's is.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "guard" {
		if err := Guard(os.Args[2], os.Args[3]); err != nil {
			println(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// family begins one, and returns its mark and the folder that its guard removes.
func family(t *testing.T) (f *Family, mark, dir string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	mark = "test" + strconv.Itoa(os.Getpid()) + t.Name()
	dir = filepath.Join(t.TempDir(), "kernel-"+mark)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err = NewFamily(program, mark, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.End)
	return f, mark, dir
}

// start starts a shell's script, and waits until it says so.
func start(t *testing.T, f *Family, script string) *Child {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout = in
	c, err := f.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	_ = in.Close() // it has its own
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatalf("%s: says nothing: %v", script, err)
	}
	return c
}

func ends(t *testing.T, c *Child, why string) {
	t.Helper()
	select {
	case <-c.Done():
	case <-time.After(10 * time.Second):
		t.Errorf("%s: it has not ended", why)
	}
}

// none waits until no process has the mark: what is killed takes a moment to go.
func none(t *testing.T, mark string) {
	t.Helper()
	for range 500 {
		if len(Marked(mark)) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%v are left", Marked(mark))
}

// At the end none is left: not what has left its group and its session, nor what ignores
// every signal it can.
func TestEnd(t *testing.T) {
	f, mark, dir := family(t)
	start(t, f, "trap '' INT TERM HUP; echo; while :; do sleep 1; done")
	start(t, f, "setsid sh -c 'echo; sleep 100' & wait")
	start(t, f, "(sleep 100 & echo) & wait")
	if n := len(Marked(mark)); n < 6 {
		t.Errorf("%d processes have the mark, want 6 at least", n)
	}
	f.End()
	none(t, mark)
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder is left: %v", err)
	}
	f.End() // twice does no harm
}

// If the kernel ends without a word, its pipe closes, and the guard does what is left.
func TestGuard(t *testing.T) {
	f, mark, dir := family(t)
	start(t, f, "setsid sh -c 'echo; sleep 100' & wait")
	if err := f.pipe.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.guard.Wait(); err != nil {
		t.Error(err)
	}
	none(t, mark)
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder is left: %v", err)
	}
	f.pipe = nil
}

// A folder that is not the kernel's is never removed.
func TestGuardOfAnotherFolder(t *testing.T) {
	dir := t.TempDir()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewFamily(program, "testother", dir)
	if err != nil {
		t.Fatal(err)
	}
	f.End()
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
}

func TestNoGuard(t *testing.T) {
	if _, err := NewFamily(filepath.Join(t.TempDir(), "nosuch"), "testnone", ""); err == nil || !strings.Contains(err.Error(), "cannot start the guard") {
		t.Errorf("got %v", err)
	}
}

func TestSignals(t *testing.T) {
	f, mark, _ := family(t)
	// A shell waits for its child before it minds an interrupt, unless the group has it.
	alone := start(t, f, "trap 'exit 0' INT; echo; while :; do sleep 0.05; done")
	alone.Interrupt()
	ends(t, alone, "interrupted")

	group := start(t, f, "trap '' INT; sleep 100 & echo; wait; exit 0")
	group.InterruptGroup()
	select {
	case <-group.Done():
		t.Error("a shell that ignores interrupts, and its background process, ended")
	case <-time.After(100 * time.Millisecond):
	}
	group.Kill()
	ends(t, group, "killed")
	none(t, mark)
}

// A child has the environment it was given, and the mark.
func TestEnvironment(t *testing.T) {
	f, mark, _ := family(t)
	cmd := exec.Command("sh", "-c", `echo "$A $GRADBOOK_KERNEL"`)
	cmd.Env = []string{"A=b", "PATH=" + os.Getenv("PATH")}
	var out strings.Builder
	cmd.Stdout = &out
	c, err := f.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	ends(t, c, "a word")
	if got := out.String(); got != "b "+mark+"\n" {
		t.Errorf("got %q", got)
	}
	if _, err := f.Start(exec.Command("/nosuch")); err == nil {
		t.Error("a program that is not there has been started")
	}
}

// What runs is listed with the memory it holds.
func TestRunning(t *testing.T) {
	f, mark, _ := family(t)
	start(t, f, "echo; while :; do sleep 0.1; done")
	all := Running()
	i := slices.IndexFunc(all, func(u Usage) bool { return u.Mark == mark })
	if i < 0 {
		t.Fatalf("%s is not among %v", mark, all)
	}
	held := int64(0)
	for program, bytes := range all[i].Resident {
		held += bytes
		if bytes <= 0 {
			t.Errorf("%s holds %d bytes", program, bytes)
		}
	}
	if held < 100<<10 || held > 100<<20 {
		t.Errorf("it holds %d bytes", held)
	}
	if got := Resident(os.Getpid()); got < 1<<20 {
		t.Errorf("this program holds %d bytes", got)
	}
	if got := Resident(1 << 30); got != 0 {
		t.Errorf("no program holds %d bytes", got)
	}
}

// A process that begins another program has no environment for a moment; it is
// found nevertheless. Each of these does nothing else.
func TestEndOfTheRestless(t *testing.T) {
	script := filepath.Join(t.TempDir(), "restless")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexec \"$0\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		f, mark, _ := family(t)
		for range 4 {
			start(t, f, "echo; exec "+script)
		}
		f.End()
		if left := Marked(mark); len(left) > 0 {
			t.Fatalf("%d processes are left", len(left))
		}
	}
}
