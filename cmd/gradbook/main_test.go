package main

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/memory"
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

// TestMemoryLimit: nine tenths of what there is, or what was asked for.
func TestMemoryLimit(t *testing.T) {
	for set, want := range map[string]int64{"": int64(memory.Limit() / 10 * 9), "1.5GB": 3 << 29, "4096": 4096} {
		t.Setenv("GRADBOOK_MEMORY_LIMIT", set)
		if got := memoryLimit(); got != want {
			t.Errorf("%q: expected %d, got %d", set, want, got)
		}
	}
}

// TestParseParameters: what follows the first = is the value, as it is.
func TestParseParameters(t *testing.T) {
	got, err := parseParameters([]string{`name="7"`, "text=a=b,c", "none="})
	want := map[string]string{"name": `"7"`, "text": "a=b,c", "none": ""}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("expected %v, got %v, %v", want, got, err)
	}
}
