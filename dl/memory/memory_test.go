package memory

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// TestLeast: what is not known, or not limited, does not count.
func TestLeast(t *testing.T) {
	unknown := memlimit.Provider(func() (uint64, error) { return 0, memlimit.ErrNoLimit })
	for _, c := range []struct {
		system, group memlimit.Provider
		want          uint64
	}{
		{memlimit.Limit(8), memlimit.Limit(2), 2},
		{memlimit.Limit(8), memlimit.Limit(9), 8},
		{memlimit.Limit(8), unknown, 8},
		{unknown, memlimit.Limit(2), 2},
		{unknown, unknown, 0},
	} {
		if got := least(c.system, c.group); got != c.want {
			t.Errorf("expected %d, got %d", c.want, got)
		}
	}
}

// TestLimit asks in a control group, which may use less than the machine has, and in one
// that may use more.
func TestLimit(t *testing.T) {
	const asked = "TEST_MEMORY_LIMIT"
	if os.Getenv(asked) != "" {
		fmt.Println("limit:", Limit())
		return
	}
	system, err := memlimit.FromSystem()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ set, want uint64 }{{256 << 20, 256 << 20}, {1 << 50, system}} {
		cmd := exec.Command("sh", "-c", `echo $$ >"$1/cgroup.procs" || exit 3; exec "$2" -test.run 'TestLimit$'`, "sh", controlGroup(t, c.set), os.Args[0])
		cmd.Env = append(os.Environ(), asked+"=1")
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() == 3 {
			t.Skipf("cannot enter a control group here: %s", out)
		}
		if want := fmt.Sprintf("limit: %d\n", c.want); err != nil || !strings.Contains(string(out), want) {
			t.Errorf("a group with %d bytes: expected %q, got %v: %s", c.set, want, err, out)
		}
	}
}

// controlGroup makes a control group, of whichever version there is, that may use so
// many bytes; where that is not allowed, the test is skipped.
func controlGroup(t *testing.T, limit uint64) string {
	t.Helper()
	root, file := "/sys/fs/cgroup", "memory.max"
	if _, err := os.Stat(root + "/memory"); err == nil {
		root, file = root+"/memory", "memory.limit_in_bytes"
	}
	group := fmt.Sprintf("%s/gradbook-test-%d-%d", root, os.Getpid(), limit)
	if err := os.Mkdir(group, 0o755); err != nil {
		t.Skip("cannot make a control group here: ", err)
	}
	t.Cleanup(func() {
		err := os.Remove(group)
		for range 50 { // its process may still be there for a moment
			if err == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
			err = os.Remove(group)
		}
		t.Error(err)
	})
	if err := os.WriteFile(group+"/"+file, []byte(strconv.FormatUint(limit, 10)), 0o600); err != nil {
		t.Skip("cannot limit a control group here: ", err)
	}
	return group
}
