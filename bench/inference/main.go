// Inference measures predictions of the networks of bench/networks here and in onnxruntime, in one run and in
// turn, as floats and as whole numbers of 8 bits: what dl.Quantize makes, here, and as the file that onnx.Save
// writes of it, there.
//
//	make bench-inference
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gradbook/gradbook/bench/networks"
	"github.com/gradbook/gradbook/bench/page"
	"github.com/gradbook/gradbook/bench/peers"
	"github.com/gradbook/gradbook/datasets"
	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/onnx"
	"github.com/gradbook/gradbook/dl/tensor"
	"github.com/gradbook/gradbook/kernel/install"
)

// work is a network and how it is asked.
type work struct {
	Network   string `json:"network"`
	Batch     int    `json:"batch"`
	Threads   int    `json:"threads"`
	Quantized bool   `json:"quantized"`
	File      string `json:"file"` // which ours writes, and onnxruntime reads
}

func main() {
	rounds := flag.Int("rounds", 3, "how often each is measured, in turn")
	only := flag.String("networks", "cnn,mlp,lstm,resnet18,mobilenetv2,encoder,gpt", "comma-separated networks")
	to := flag.String("write", "", "write the table into this page, between its marks")
	worker := flag.String("worker", "", "measure ours in this process (used internally)")
	flag.Parse()
	err := func() error {
		if *worker != "" {
			return work{}.measure(*worker)
		}
		text, err := table(strings.Split(*only, ","), *rounds)
		if err != nil {
			return err
		}
		fmt.Print(text)
		if *to == "" {
			return nil
		}
		return page.Write(*to, "make bench-inference", text)
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/inference:", err)
		os.Exit(1)
	}
}

// table measures all of it, and is what came out.
func table(names []string, rounds int) (string, error) {
	l, err := install.Find(".")
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "inference-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover is only clutter
	var b strings.Builder
	fmt.Fprintf(&b, "Predictions, in milliseconds; the best of the medians of %d rounds on %s. Quantized is dl.Quantize's model, and its file in onnxruntime. Below 1 ours is faster.\n\n", rounds, runtime.GOARCH)
	b.WriteString("| network | batch | threads | ours | onnxruntime | ours / theirs | ours quantized | onnxruntime quantized | ours / theirs | quantized / floats |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, name := range names {
		for _, batch := range []int{1, 32, 128} {
			for threads := 1; threads <= runtime.NumCPU(); threads *= 2 {
				w := work{Network: name, Batch: batch, Threads: threads, File: filepath.Join(dir, name+".onnx")}
				floats, err := w.run(l, dir, rounds)
				if err != nil {
					return "", err
				}
				w.Quantized = true
				whole, err := w.run(l, dir, rounds)
				if err != nil {
					return "", err
				}
				fmt.Fprintf(&b, "| %s | %d | %d | %.3g | %.3g | %.2f | %.3g | %.3g | %.2f | %.2f |\n", name, batch, threads,
					floats.ours, floats.theirs, floats.ours/floats.theirs, whole.ours, whole.theirs, whole.ours/whole.theirs, whole.ours/floats.ours)
			}
		}
	}
	return b.String(), nil
}

// times are milliseconds.
type times struct{ ours, theirs float64 }

// run measures ours and theirs in turn, and returns the least of each: what else the machine does only adds to it.
func (w work) run(l install.Layout, programs string, rounds int) (best times, err error) {
	fmt.Fprintf(os.Stderr, "%s, batch %d, threads %d, quantized %v\n", w.Network, w.Batch, w.Threads, w.Quantized)
	best = times{math.Inf(1), math.Inf(1)}
	for range rounds {
		ours, err := w.ours(programs)
		if err != nil {
			return best, fmt.Errorf("%s: %w", w.Network, err)
		}
		theirs, err := w.theirs(l)
		if err != nil {
			return best, fmt.Errorf("%s: onnxruntime: %w", w.Network, err)
		}
		best = times{min(best.ours, ours), min(best.theirs, theirs)}
	}
	return best, nil
}

func (w work) ours(programs string) (ms float64, err error) {
	exe, err := os.Executable()
	if err != nil {
		return 0, err
	}
	spec, err := json.Marshal(w)
	if err != nil {
		return 0, err
	}
	cmd := peers.OnProcessors(w.Threads, exe, "-worker", string(spec))
	cmd.Env, cmd.Stderr = append(os.Environ(), "GRADBOOK_COMPILATION_CACHE="+programs), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, err
	}
	return ms, json.Unmarshal(out, &ms)
}

func (w work) theirs(l install.Layout) (float64, error) {
	in := []int{w.Batch, 28, 28, 1}
	if w.Network == "gpt" {
		in = []int{w.Batch, 128}
	}
	spec := []any{map[string]any{"path": w.File, "threads": w.Threads, "inputs": []any{map[string]any{"name": "", "type": "float32", "shape": in}}}}
	var all []struct {
		MS float64 `json:"ms"`
	}
	if err := peers.Measure(l, "onnx_run.py", spec, &all); err != nil {
		return 0, err
	}
	if len(all) != 1 {
		return 0, fmt.Errorf("expected one result, got %d", len(all))
	}
	return all[0].MS, nil
}

// measure is what a process of its own does, as JSON says: it makes the network and its file, and prints the
// median of its predictions in milliseconds.
func (w work) measure(spec string) error {
	if err := json.Unmarshal([]byte(spec), &w); err != nil {
		return err
	}
	dl.SetRandomSeed(1)
	m, err := networks.New(w.Network)
	if err != nil {
		return err
	}
	_, test, err := datasets.MNIST()
	if err != nil {
		return err
	}
	examples := networks.Examples(w.Network, test).Batch(w.Batch)
	if w.Quantized {
		if m, err = dl.Quantize(m, examples.Batch(32), dl.QuantizeConfig{Steps: 4}); err != nil {
			return err
		}
	}
	if err := onnx.Save(m, w.File); err != nil {
		return err
	}
	x, err := first(examples)
	if err != nil {
		return err
	}
	var times []float64
	for from := time.Now(); time.Since(from) < time.Second || len(times) < 6; {
		began := time.Now()
		if _, err := m.PredictOnBatch(x); err != nil {
			return err
		}
		times = append(times, time.Since(began).Seconds()*1e3)
	}
	times = times[1:] // but for the one that compiles
	slices.Sort(times)
	return json.NewEncoder(os.Stdout).Encode(times[len(times)/2])
}

func first(ds *data.Dataset) (*tensor.Tensor, error) {
	for b, err := range ds.Batches() {
		return b.X, err
	}
	return nil, fmt.Errorf("no batch")
}
