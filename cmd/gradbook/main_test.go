package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := root()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"setup", "--help"}, {"lab", "--help"}, {"run", "--help"}, {"install", "--help"}, {"doctor", "--help"}, {"kernel", "--help"}} {
		out, err := command(t, args...)
		if err != nil || !strings.Contains(out, "Usage:") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out, err := command(t, "completion", shell); err != nil || len(out) < 500 {
			t.Errorf("completion for %s: %v, %d bytes", shell, err, len(out))
		}
	}
}

// TestMistakes are answered before anything is set up.
func TestMistakes(t *testing.T) {
	for part, args := range map[string][]string{
		"03-cnn.ipynb":      {"run", "../../notebooks/04-cnn.ipynb"},
		"the same name":     {"run", "../../notebooks/03-cnn.ipynb", "../../notebooks/../notebooks/03-cnn.ipynb"},
		"not a notebook":    {"run", "main.go"},
		"at least 1 arg":    {"run"},
		"unknown command":   {"fly"},
		"unknown flag":      {"lab", "--prot", "1"},
		"1 to 65535":        {"lab", "--port", "70000"},
		"accepts 1 arg":     {"kernel"},
		"for \"gradbook s":  {"setup", "now"},
		"invalid argument ": {"lab", "--port", "x"},
		"name=value":        {"run", "-p", "epochs", "../../notebooks/03-cnn.ipynb"},
		"got \"1x=2\"":      {"run", "-p", "1x=2", "../../notebooks/03-cnn.ipynb"},
		"got both":          {"install", "--remove", "--prefix", "/x"},
	} {
		if _, err := command(t, args...); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v: expected an error that says %q, got %v", args, part, err)
		}
	}
}

// TestMemoryLimit: nine tenths of what a container may use, or what was asked for.
func TestMemoryLimit(t *testing.T) {
	if os.Getenv("TEST_MEMORY_LIMIT") != "" {
		fmt.Println("limit:", memoryLimit())
		return
	}
	system, err := memlimit.FromSystem()
	if err != nil {
		t.Fatal(err)
	}
	if got := memoryLimit(); got <= 0 || got > int64(system) {
		t.Errorf("expected at most the machine's %d, got %d", system, got)
	}
	t.Run("container", func(t *testing.T) {
		group := controlGroup(t, 2<<30)
		cmd := exec.Command("sh", "-c", `echo $$ >"$1/cgroup.procs" && exec "$2" -test.run 'TestMemoryLimit$'`, "sh", group, os.Args[0])
		cmd.Env = append(os.Environ(), "TEST_MEMORY_LIMIT=1")
		out, err := cmd.CombinedOutput()
		if want := "limit: 1932735283\n"; err != nil || !strings.Contains(string(out), want) {
			t.Errorf("expected %q, got %v: %s", want, err, out)
		}
	})
	t.Setenv("GRADBOOK_MEMORY_LIMIT", "1.5GB")
	if got := memoryLimit(); got != 3<<29 {
		t.Errorf("expected 1.5 GiB, got %d", got)
	}
}

// controlGroup makes a control group, of whichever version there is, that may use so
// many bytes; where that is not allowed, the test is skipped.
func controlGroup(t *testing.T, limit int) string {
	t.Helper()
	root, file := "/sys/fs/cgroup", "memory.max"
	if _, err := os.Stat(root + "/memory"); err == nil {
		root, file = root+"/memory", "memory.limit_in_bytes"
	}
	group := fmt.Sprintf("%s/gradbook-test-%d", root, os.Getpid())
	if err := os.Mkdir(group, 0o755); err != nil {
		t.Skip("cannot make a control group here: ", err)
	}
	t.Cleanup(func() {
		if err := os.Remove(group); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(group+"/"+file, []byte(strconv.Itoa(limit)), 0o600); err != nil {
		t.Skip("cannot limit a control group here: ", err)
	}
	return group
}

// TestParseParameters: what follows the first = is the value, as it is.
func TestParseParameters(t *testing.T) {
	got, err := parseParameters([]string{`name="7"`, "text=a=b,c", "none="})
	want := map[string]string{"name": `"7"`, "text": "a=b,c", "none": ""}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("expected %v, got %v, %v", want, got, err)
	}
}
