//go:build unix

package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/bench/gpu/record"
)

// TestMain lets this program be the runner, which tests stop and kill.
func TestMain(m *testing.M) {
	if os.Getenv("RUNNER") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// worker says what ours does, but for steps, which never end.
const worker = `#!/bin/sh
case $1 in
report) echo '{"who":"gradbook","text":{"kind":"'${KIND:-cuda}'","note":"no GPU"},"values":{"open_s":1}}' ;;
document) echo a library speaks; echo '{"who":"gradbook","values":{"test_accuracy":0.99,"whole_s":7.5,"epochs":5,"examples":60000}}' ;;
steps) echo '{"who":"gradbook","model":"cnn","batch":512,"dtype":"float32","values":{"step_ms":0.5}}'; exec sleep 60 ;;
esac
`

const python = `#!/bin/sh
echo '{"plugin": "/there/jax_plugins/xla_cuda13", "libraries": [], "versions": {"python": "3.12"}}'
`

const smi = `#!/bin/sh
echo 'NVIDIA H100 80GB HBM3, 580.65.06, 9.0, 81559, 100'
`

// machineOf makes a machine of scripts, and returns the runner for it.
func machineOf(t *testing.T, args ...string) (cmd *exec.Cmd, out string) {
	t.Helper()
	dir := t.TempDir()
	for path, content := range map[string]string{
		"bin/python3": python, "bin/nvidia-smi": smi, "files/worker": worker, "files/cache/datasets/mnist-1.bin": "digits",
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	out = filepath.Join(dir, "out")
	cmd = exec.CommandContext(t.Context(), os.Args[0], append([]string{"-out", out, "-files", filepath.Join(dir, "files")}, args...)...)
	cmd.Env = append(os.Environ(), "RUNNER=1", "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
	return cmd, out
}

func tableIn(t *testing.T, out string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(out, "table.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestCutOff: a part that takes too long is ended, with what it has started, and the table
// has the parts before, and what that part had found.
func TestCutOff(t *testing.T) {
	cmd, out := machineOf(t, "-parts", "machine,document,steps", "-limit", "2s")
	text, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); !errors.As(err, &exit) || !strings.Contains(string(text), "steps (cut off)") {
		t.Errorf("expected an error that names the part, got %v: %s", err, text)
	}
	for _, want := range []string{"NVIDIA H100 80GB HBM3", "driver 580.65.06", "7.5 s, test accuracy (测试准确度) 0.9900", "| cnn | 512 | float32 | 0.500 |", "| document | ok |", "| steps | cut off |"} {
		if !strings.Contains(tableIn(t, out), want) {
			t.Errorf("expected %q in\n%s", want, tableIn(t, out))
		}
	}
}

// TestKilled: what was found is there, also where the runner had no time to say so.
func TestKilled(t *testing.T) {
	cmd, out := machineOf(t, "-parts", "machine,document,steps")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "steps …") {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if table := tableIn(t, out); !strings.Contains(table, "| document | ok |") || strings.Contains(table, "| steps |") {
		t.Errorf("expected a table of two parts, got\n%s", table)
	}
	if _, err := record.Read(filepath.Join(out, resultsName)); err != nil {
		t.Error(err)
	}
}

// TestNotTheGPU: computing elsewhere is a failure, whatever it found.
func TestNotTheGPU(t *testing.T) {
	cmd, out := machineOf(t, "-parts", "machine")
	cmd.Env = append(cmd.Env, "KIND=cpu")
	if text, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(text), "machine (failed)") {
		t.Errorf("expected an error, got %v: %s", err, text)
	}
	if table := tableIn(t, out); !strings.Contains(table, "expected to compute on cuda, got cpu: no GPU") {
		t.Errorf("expected what is wrong, got\n%s", table)
	}
}

// TestNoPlugin: a Python without JAX's plugin is an error that says what would have it.
func TestNoPlugin(t *testing.T) {
	cmd, _ := machineOf(t)
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Args = append(cmd.Args, "-python", filepath.Join(dir, "no-python"))
	if text, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(text), "expected a Python") {
		t.Errorf("expected an error, got %v: %s", err, text)
	}
}

func TestTable(t *testing.T) {
	at := func(who string, ms float64) record.Record {
		return record.Record{Part: "steps", Who: who, Model: "cnn", Batch: 512, DType: "tf32", Values: map[string]float64{"step_ms": ms, "first_s": 10 * ms, "predict_per_s": 1000 * ms}}
	}
	got := table([]record.Record{
		{Text: map[string]string{"gpu": "NVIDIA H200", "driver": "580", "capability": "9.0", "date": "2026-11-28", "torch": "2.11.0"}},
		at("gradbook", 0.5), at("jax", 0.4), at("pytorch eager", 1),
		{Part: "host", Who: "gradbook", Model: "empty", Values: map[string]float64{"step_ms": 0.02}},
		{Part: "steps", Status: "ok", Values: map[string]float64{"took_s": 3}},
	})
	for _, want := range []string{
		"On one NVIDIA H200 (compute capability 9.0, driver 580), 2026-11-28; torch 2.11.0.",
		"| cnn | 512 | tf32 | 0.500 | 1.25 | 0.50 | – | – | 5.0 | 1.25 | 500 | 1.25 |",
		"0.020 ms: at most so much is the host's, which works ahead of the device; at batch 512 it is 4 % of a step.",
		"| steps | ok | 3 |  |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("expected %q in\n%s", want, got)
		}
	}
}

// TestWritePage: the section is replaced, but for one of no GPU, and the rest stays.
func TestWritePage(t *testing.T) {
	dir := t.TempDir()
	page, results := filepath.Join(dir, "page.md"), filepath.Join(dir, "results.jsonl")
	write := func(path, content string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const begins, ends = "<!-- begin: bench/gpu/try -->\n", "<!-- end: bench/gpu/try -->\n"
	const text = "before\n" + begins + "old\n" + ends + "after\n"
	write(page, text)
	write(results, `{"text":{"gpu":"CPU as a stand-in"}}`+"\n")
	if err := writePage(page, results); err == nil || !strings.Contains(err.Error(), "stand-in") {
		t.Errorf("expected an error that names what it was, got %v", err)
	}
	write(results, `{"text":{"gpu":"NVIDIA H100","date":"2026-11-28"}}`+"\n"+`{"part":"steps","sta`)
	if err := writePage(page, results); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(got); !strings.HasPrefix(s, "before\n"+begins) || !strings.HasSuffix(s, ends+"after\n") || !strings.Contains(s, "NVIDIA H100") || strings.Contains(s, "old") {
		t.Errorf("got %s", s)
	}
	write(page, "no marks\n")
	if err := writePage(page, results); err == nil || !strings.Contains(err.Error(), "bench/gpu/try") {
		t.Errorf("expected an error that names the marks, got %v", err)
	}
}
