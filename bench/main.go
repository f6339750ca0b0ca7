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
	"path/filepath"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/bench/page"
	"github.com/gradbook/gradbook/bench/peers"
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
	// Products is how many products of two numbers a batch is, forwards; of ours only, as what follows.
	Products int `json:"products"`
	// Matrices is how many billions of operations a second a product of large matrices does.
	Matrices float64 `json:"matrices"`
}

// speed is how many billions of operations a second a step does: an addition and a product each, of which
// there are about as many forwards, for the gradient by the weights, and for that by the inputs.
func (r result) speed() float64 { return 6 * float64(r.Products) / r.Step / 1e6 }

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
	models := flag.String("models", "cnn,mlp,simple_rnn,lstm,gru,resnet18,mobilenetv2,encoder,gpt", "comma-separated networks")
	batch := flag.Int("batch", 0, "batch size; 0 means 1, 32 and 128 for cnn and mlp, 64 for what is recurrent, 32 for the others")
	threads := flag.Int("threads", 0, "how many threads each has; 0 means one for each processor, and for some networks also one")
	steps := flag.Int("steps", 0, "how many steps are measured; 0 is an epoch, and of large networks 20")
	only := flag.String("peers", "", "comma-separated peers; all by default, none for ours alone")
	write := flag.String("write", "", "write the table into this page, between its marks")
	worker := flag.Bool("worker", false, "measure ours in this process (used internally)")
	flag.Parse()
	var err error
	if *worker {
		err = measure(*models, *batch, *steps)
	} else {
		err = runAll(*rounds, *models, *batch, *threads, *steps, *only, *write)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure(model string, batch, steps int) error {
	r, err := measureGradbook(model, batch, steps)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

func runAll(rounds int, models string, batch, threads, steps int, only, write string) error {
	works, err := worksOf(models, batch, threads)
	if err != nil {
		return err
	}
	var all []measured
	for _, w := range works {
		if steps > 0 && w.steps == 0 {
			w.steps = steps
		}
		m, err := run(rounds, w, only)
		if err != nil {
			return err
		}
		m.write(os.Stdout)
		all = append(all, m)
	}
	text := summary(all, rounds)
	fmt.Println(text)
	if write == "" {
		return nil
	}
	return page.Write(write, "make bench", text)
}

// run measures a network here and in the peers, in turn.
func run(rounds int, w work, only string) (m measured, err error) {
	exe, err := os.Executable()
	if err != nil {
		return m, err
	}
	data, err := datasets.MNISTPath()
	if err != nil {
		return m, err
	}
	if _, _, err := datasets.MNIST(); err != nil { // makes the file
		return m, err
	}
	// A folder of its own: the first round compiles, the others find what it has kept.
	programs, err := os.MkdirTemp("", "programs-*")
	if err != nil {
		return m, err
	}
	defer os.RemoveAll(programs) //nolint:errcheck // a leftover is only clutter
	all := []contestant{{name: self, args: []string{exe, "-worker", "-models=" + w.model, fmt.Sprintf("-batch=%d", w.batch), fmt.Sprintf("-steps=%d", w.steps)}, env: []string{"GRADBOOK_COMPILATION_CACHE=" + programs}}}
	if only != "none" {
		python, err := peersPython()
		if err != nil {
			return m, err
		}
		for _, p := range frameworks {
			if only != "" && !slices.Contains(strings.Split(only, ","), p.name) {
				continue
			}
			if p.models != nil && !slices.Contains(p.models, w.model) {
				continue
			}
			args := append([]string{python, filepath.Join("bench", "peers", p.script)}, p.args...)
			args = append(args, "--data", data, "--batch", fmt.Sprint(w.batch), "--model", w.model, "--steps", fmt.Sprint(w.steps))
			all = append(all,
				contestant{p.name, args, p.env},
				contestant{p.name + " +", args, append(slices.Clone(p.env), tuned...)})
		}
	}
	results := make(map[string][]result)
	for round := range rounds {
		for _, c := range all {
			fmt.Fprintf(os.Stderr, "%v, round %d of %d: %s\n", w, round+1, rounds, c.name)
			r, err := c.measure(w.threads)
			if err != nil {
				return m, fmt.Errorf("%s: %w", c.name, err)
			}
			results[c.name] = append(results[c.name], r)
		}
	}
	if rounds == 1 { // for a second session
		r, err := all[0].measure(w.threads)
		if err != nil {
			return m, fmt.Errorf("%s: %w", self, err)
		}
		results[self] = append(results[self], r)
	}
	return measured{w, all, results}, nil
}

// measure runs the program on so many processors.
func (c contestant) measure(threads int) (result, error) {
	cmd := peers.OnProcessors(threads, c.args...)
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
