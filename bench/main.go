// Bench measures networks, the document's first of all, here and in the frameworks of Python,
// in one run: the same data, batch size, optimizer and number of threads. Only
// ratios are worth quoting; absolute times depend on the machine and its mood.
//
//	make bench
//	go run ./bench -rounds 5 -models cnn,lstm -batch 128 -peers pytorch,jax
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/bench/networks"
	"github.com/gradbook/gradbook/datasets"
)

// result is what one process measured.
type result struct {
	// First is the time from the call of fit to the end of the first step, in
	// seconds, with compiling.
	First float64 `json:"first"`
	// Step is the median step in milliseconds.
	Step float64 `json:"step"`
	// Epoch is a whole epoch of fit in seconds, without compiling.
	Epoch float64 `json:"epoch"`
	// One is the median prediction of one image in milliseconds, Many that of 10,000.
	One  float64 `json:"one"`
	Many float64 `json:"many"`
	// Memory is the greatest resident size of the process in MB.
	Memory float64 `json:"memory"`
}

// contestant is a program that prints a result as JSON.
type contestant struct {
	name string
	args []string
	env  []string
}

const self = "gradbook"

// tuned are settings under which the allocator keeps memory for good, which helps
// the peers. (dl sets thresholds of its own, and lower ones.)
var tuned = []string{"MALLOC_MMAP_THRESHOLD_=4000000000", "MALLOC_TRIM_THRESHOLD_=4000000000", "MALLOC_TOP_PAD_=64000000"}

func main() {
	rounds := flag.Int("rounds", 3, "how often each is measured, in turn")
	models := flag.String("models", "cnn,mlp,simple_rnn,lstm,gru", "comma-separated networks")
	batch := flag.Int("batch", 0, "batch size; 0 means 32 and 128 for cnn and mlp, 64 for the others")
	steps := flag.Int("steps", 0, "how many steps are measured; 0 is an epoch")
	only := flag.String("peers", "", "comma-separated peers; all by default, none for ours alone")
	worker := flag.Bool("worker", false, "measure ours in this process (used internally)")
	flag.Parse()
	var err error
	if *worker {
		err = work(*models, *batch, *steps)
	} else {
		err = runAll(*rounds, *models, *batch, *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func work(model string, batch, steps int) error {
	r, err := measureGradbook(model, batch, steps)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

func runAll(rounds int, models string, batch int, only string) error {
	for model := range strings.SplitSeq(models, ",") {
		if err := networks.Known(model); err != nil {
			return err
		}
		sizes := []int{batch}
		if batch == 0 {
			sizes = []int{64}
			if model == "cnn" || model == "mlp" {
				sizes = []int{32, 128}
			}
		}
		for _, size := range sizes {
			if err := run(rounds, model, size, only); err != nil {
				return err
			}
		}
	}
	return nil
}

func run(rounds int, model string, batch int, only string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	data, err := datasets.MNISTPath()
	if err != nil {
		return err
	}
	if _, _, err := datasets.MNIST(); err != nil { // makes the file
		return err
	}
	all := []contestant{{name: self, args: []string{exe, "-worker", "-models=" + model, fmt.Sprintf("-batch=%d", batch)}, env: []string{"GRADBOOK_COMPILATION_CACHE=off"}}}
	if only != "none" {
		python, err := peersPython()
		if err != nil {
			return err
		}
		for _, p := range peers {
			if only != "" && !slices.Contains(strings.Split(only, ","), p.name) {
				continue
			}
			if p.models != nil && !slices.Contains(p.models, model) {
				continue
			}
			args := append([]string{python, filepath.Join("bench", "peers", p.script)}, p.args...)
			args = append(args, "--data", data, "--batch", fmt.Sprint(batch), "--model", model)
			all = append(all,
				contestant{p.name, args, p.env},
				contestant{p.name + " +", args, append(slices.Clone(p.env), tuned...)})
		}
	}
	results := make(map[string][]result)
	for round := range rounds {
		for _, c := range all {
			fmt.Fprintf(os.Stderr, "%s, batch %d, round %d of %d: %s\n", model, batch, round+1, rounds, c.name)
			r, err := c.measure()
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			results[c.name] = append(results[c.name], r)
		}
	}
	write(os.Stdout, all, results, model, batch)
	return nil
}

func (c contestant) measure() (result, error) {
	cmd := exec.Command(c.args[0], c.args[1:]...)
	cmd.Env = append(os.Environ(), c.env...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return result{}, fmt.Errorf("%w\n%s", err, errs.String())
	}
	// The result is the last line; a framework may have said something before.
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var r result
	return r, json.Unmarshal([]byte(lines[len(lines)-1]), &r)
}
