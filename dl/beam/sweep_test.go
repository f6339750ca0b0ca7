package beam_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	dlbeam "github.com/gradbook/gradbook/dl/beam"
)

func init() {
	// A bowl with its bottom at rate 0.01 and 20 units, towards which steps go.
	dlbeam.RegisterTrial("bowl", func(ctx context.Context, p dlbeam.Params, seed uint64, report func(float64) bool) (float64, error) {
		r := rand.New(rand.NewPCG(seed, 1))
		a, b := math.Log10(p["rate"])+2, (p["units"]-20)/20
		end := a*a + b*b + 0.01*r.Float64()
		value := 0.0
		for step := range 5 {
			time.Sleep(4 * time.Millisecond)
			value = end + 1/float64(step+1)
			if !report(value) {
				return value, nil
			}
		}
		if p["units"] == 13 {
			return 0, errors.New("unlucky")
		}
		return value, ctx.Err()
	})
	dlbeam.RegisterTrial("panics", func(context.Context, dlbeam.Params, uint64, func(float64) bool) (float64, error) {
		panic("of a trial")
	})
}

func sweepConfig(dir string, search dlbeam.Search) dlbeam.SweepConfig {
	return dlbeam.SweepConfig{
		Trial: "bowl", Search: search, Trials: 40, Seed: 3, Dir: dir, Stop: true, Patience: 2,
		Space: dlbeam.Space{"rate": {Min: 1e-5, Max: 1, Log: true}, "units": {Min: 1, Max: 64, Whole: true}},
	}
}

// same wants results that differ in nothing but time.
func same(t *testing.T, got, want dlbeam.Results) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d trials, want %d", len(got), len(want))
	}
	for i := range want {
		a, b := got[i], want[i]
		a.Seconds, b.Seconds = 0, 0
		if !reflect.DeepEqual(a, b) {
			t.Errorf("trial %d: got %+v, want %+v", i, a, b)
		}
	}
}

// TestSweepChild is a sweep of TestSweepKilled, in a process that can be killed.
func TestSweepChild(t *testing.T) {
	dir := os.Getenv("DLBEAM_SWEEP")
	if dir == "" {
		t.Skip("it is a process of TestSweepKilled")
	}
	r, err := dlbeam.Sweep(context.Background(), sweepConfig(dir, dlbeam.Bayesian))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("RESULTS %s\n", text)
}

// TestSweepKilled kills a sweep of 40 trials twice: it goes on, and ends as one that was not.
func TestSweepKilled(t *testing.T) {
	whole, err := dlbeam.Sweep(context.Background(), sweepConfig(t.TempDir(), dlbeam.Bayesian))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	child := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestSweepChild$")
		cmd.Env = append(os.Environ(), "DLBEAM_SWEEP="+dir)
		return cmd
	}
	for _, until := range []int{9, 24} {
		cmd := child()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			if files, _ := filepath.Glob(filepath.Join(dir, "trial-*.json")); len(files) >= until {
				break
			}
			if time.Now().After(end) {
				t.Fatal("the sweep does not get on")
			}
		}
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); err == nil {
			t.Error("expected the sweep to be killed before its end")
		}
	}
	out, err := child().Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, text, ok := strings.Cut(string(out), "RESULTS ")
	if !ok {
		t.Fatalf("got %s", out)
	}
	text, _, _ = strings.Cut(text, "\n")
	var resumed dlbeam.Results
	if err := json.Unmarshal([]byte(text), &resumed); err != nil {
		t.Fatal(err)
	}
	same(t, resumed, whole)
	a, _ := resumed.Best()
	b, ok := whole.Best()
	if !ok || a.Number != b.Number || a.Value != b.Value {
		t.Errorf("got the best %+v, want %+v", a, b)
	}
}

// TestSweep searches in each way. The Bayesian search finds the bottom better than chance does.
func TestSweep(t *testing.T) {
	best := make(map[dlbeam.Search]float64)
	for _, search := range []dlbeam.Search{dlbeam.Random, dlbeam.Bayesian} {
		sum := 0.0
		for seed := range 5 {
			c := sweepConfig(t.TempDir(), search)
			c.Seed = uint64(100 * seed)
			c.Stop = false
			c.Round = 8
			r, err := dlbeam.Sweep(context.Background(), c)
			if err != nil {
				t.Fatal(err)
			}
			b, ok := r.Best()
			if !ok {
				t.Fatalf("no trial has a value:\n%v", r)
			}
			sum += b.Value - 0.2
		}
		best[search] = sum / 5
	}
	if !(best[dlbeam.Bayesian] < best[dlbeam.Random]) {
		t.Errorf("expected the Bayesian search to come nearer to the bottom than chance, got %v", best)
	}
	t.Log(best)
	c := sweepConfig(t.TempDir(), dlbeam.Grid)
	c.Space = dlbeam.Space{"rate": {Values: []float64{0.1, 0.01}}, "units": {Min: 5, Max: 29, Steps: 4, Whole: true}}
	r, err := dlbeam.Sweep(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := r.Best(); len(r) != 8 || b.Params["rate"] != 0.01 || b.Params["units"] != 21 {
		t.Errorf("got the best of %d: %v", len(r), b.Params)
	}
	for _, trial := range r {
		if trial.Params["units"] == 13 && trial.Params["rate"] == 0.01 && trial.Error != "unlucky" {
			t.Errorf("expected a trial that fails to be a result, got %+v", trial)
		}
	}
	if text := r.String(); !strings.Contains(text, "rate=0.01 units=21") || !strings.Contains(text, "failed: unlucky") {
		t.Errorf("got the table\n%s", text)
	}
}

func TestSweepRefused(t *testing.T) {
	for want, change := range map[string]func(*dlbeam.SweepConfig){
		"RegisterTrial":           func(c *dlbeam.SweepConfig) { c.Trial = "no" },
		"expected a Dir":          func(c *dlbeam.SweepConfig) { c.Dir = "" },
		"expected a Space":        func(c *dlbeam.SweepConfig) { c.Space = nil },
		"a Min below its Max":     func(c *dlbeam.SweepConfig) { c.Space["units"] = dlbeam.Range{Min: 2, Max: 1} },
		"above 0 to search by":    func(c *dlbeam.SweepConfig) { c.Space["rate"] = dlbeam.Range{Min: 0, Max: 1, Log: true} },
		"grid, random or bayesia": func(c *dlbeam.SweepConfig) { c.Search = "guess" },
		"at least two Steps":      func(c *dlbeam.SweepConfig) { c.Search = dlbeam.Grid },
	} {
		c := sweepConfig(t.TempDir(), dlbeam.Random)
		change(&c)
		if _, err := dlbeam.Sweep(context.Background(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, err)
		}
	}
	c := sweepConfig(t.TempDir(), dlbeam.Random)
	c.Trial, c.Trials = "panics", 2
	r, err := dlbeam.Sweep(context.Background(), c)
	if err != nil || len(r) != 2 || r[0].Error != "panic: of a trial" {
		t.Errorf("got %+v, %v", r, err)
	}
	c.Seed++
	if _, err := dlbeam.Sweep(context.Background(), c); err == nil || !strings.Contains(err.Error(), "of another sweep") {
		t.Errorf("expected another sweep's results to be refused, got %v", err)
	}
}
