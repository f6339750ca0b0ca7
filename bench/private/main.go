// Private measures private steps of the document's network (DP-SGD, dl/privacy) beside plain
// ones, in turn, and the memory that they take, by how many examples are worked on at once.
//
//	make bench-private
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/gradbook/gradbook/bench/networks"
	"github.com/gradbook/gradbook/bench/page"
	"github.com/gradbook/gradbook/bench/rusage"
	"github.com/gradbook/gradbook/datasets"
	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/privacy"
)

// work is what one process measures.
type work struct {
	Network    string `json:"network"`
	Batch      int    `json:"batch"`
	Microbatch int    `json:"microbatch"`
	Private    bool   `json:"private"`
}

// result is a step in milliseconds, and the greatest resident size in MB.
type result struct{ Step, Memory float64 }

const (
	steps  = 100
	warmUp = 10
)

func main() {
	rounds := flag.Int("rounds", 3, "how often each is measured, in turn")
	to := flag.String("write", "", "write the table into this page, between its marks")
	worker := flag.String("worker", "", "measure in this process (used internally)")
	flag.Parse()
	err := func() error {
		if *worker != "" {
			return measure(*worker)
		}
		text, err := table(*rounds)
		if err != nil {
			return err
		}
		fmt.Print(text)
		if *to == "" {
			return nil
		}
		return page.Write(*to, "make bench-private", text)
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// mlp is a network whose weights are many: a gradient for each of 512 examples would be 2.6 GB.
func mlp() (*dl.Model, error) {
	return dl.Sequential(layers.Input{Shape: layers.Shape{28, 28, 1}}, layers.Flatten{},
		layers.Dense{Units: 1024}, layers.Dense{Units: 512}, layers.Dense{Units: 10, Activation: activations.Softmax})
}

func model(name string) (*dl.Model, error) {
	if name == "wide" {
		return mlp()
	}
	return networks.New(name)
}

func measure(text string) error {
	var w work
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		return err
	}
	train, _, err := datasets.MNIST()
	if err != nil {
		return err
	}
	m, err := model(w.Network)
	if err != nil {
		return err
	}
	c := dl.CompileConfig{Optimizer: optimizers.Adam{}, Loss: losses.SparseCategoricalCrossentropy{}}
	if w.Private {
		c.Privacy = &privacy.SGD{ClipNorm: 1, NoiseMultiplier: 1, Delta: 1e-6, Microbatch: w.Microbatch}
	}
	if err := m.Compile(c); err != nil {
		return err
	}
	train = train.Map(data.Rescale(1 / 255.0))
	fit := dl.FitConfig{Epochs: 1, BatchSize: w.Batch, StepsPerEpoch: warmUp, Silent: true}
	if _, err := m.Fit(context.Background(), train, fit); err != nil {
		return err
	}
	fit.StepsPerEpoch = steps
	began := time.Now()
	if _, err := m.Fit(context.Background(), train, fit); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result{time.Since(began).Seconds() * 1000 / steps, rusage.Peak()})
}

// run measures in a process of its own.
func (w work) run() (r result, err error) {
	text, err := json.Marshal(w)
	if err != nil {
		return r, err
	}
	program, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.Command(program, "-worker", string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("%s: %w", text, err)
	}
	return r, json.Unmarshal(out, &r)
}

// table is what is measured, as Markdown.
func table(rounds int) (string, error) {
	var b strings.Builder
	fmt.Fprintln(&b, "| network | batch | at once | private step | plain step | ratio | memory, private | plain |")
	fmt.Fprintln(&b, "|---|---|---|---|---|---|---|---|")
	for _, w := range []work{
		{Network: "cnn", Batch: 128},
		{Network: "cnn", Batch: 128, Microbatch: 256},
		{Network: "cnn", Batch: 512},
		{Network: "cnn", Batch: 512, Microbatch: 1024},
		{Network: "wide", Batch: 512},
		{Network: "wide", Batch: 512, Microbatch: 32},
	} {
		var private, plain []result
		for range rounds {
			w.Private = true
			r, err := w.run()
			if err != nil {
				return "", err
			}
			private = append(private, r)
			w.Private = false
			if r, err = w.run(); err != nil {
				return "", err
			}
			plain = append(plain, r)
		}
		p, q := middle(private), middle(plain)
		at := "default"
		if w.Microbatch > 0 {
			at = fmt.Sprint(w.Microbatch)
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %.1f ms | %.1f ms | %.2f | %.0f MB | %.0f MB |\n", w.Network, w.Batch, at, p.Step, q.Step, p.Step/q.Step, p.Memory, q.Memory)
	}
	return b.String(), nil
}

// middle are the medians.
func middle(all []result) result {
	var step, memory []float64
	for _, r := range all {
		step, memory = append(step, r.Step), append(memory, r.Memory)
	}
	slices.Sort(step)
	slices.Sort(memory)
	return result{step[len(step)/2], memory[len(memory)/2]}
}
