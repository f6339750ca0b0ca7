package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gradbook/gradbook/bench/gpu/record"
)

// parts are those of a run, in order: what matters most comes first, in case the time ends.
func parts(s settings) []part {
	all := []part{
		{name: "machine", what: "the GPU, its driver, versions; the plugin is tried, and what the loader needs", limit: 45 * time.Second, run: machine},
		{name: "document", what: "the document's program: five epochs, accuracy, time, with kernels to try and with those known", limit: 45 * time.Second, run: documentPart},
		{name: "steps", what: "training steps and predictions of networks, by batch and type", limit: 90 * time.Second, run: ourSteps},
		{name: "jax", what: "the same in JAX, jit", limit: 90 * time.Second, run: jaxSteps},
		{name: "host", what: "steps with next to nothing to compute: the host's share", limit: 15 * time.Second, run: hostPart},
		{name: "float32", what: "dl's tests against Keras and by finite differences, without TF32", limit: 100 * time.Second, together: true, run: testsPart("0")},
		{name: "tf32", what: "those against Keras, with TF32", limit: 100 * time.Second, together: true, run: testsPart("1")},
		{name: "file", what: "a model saved on the GPU and loaded on the CPU", limit: 30 * time.Second, together: true, run: filePart},
		{name: "session", what: "a notebook's session with state, where Go and a C compiler are", limit: 60 * time.Second, together: true, run: sessionPart},
		{name: "memory", what: "two programs on one GPU; a limit; too little memory, and going on", limit: 45 * time.Second, run: memoryPart},
		{name: "same", what: "the same weights of two programs with the same seed, and what it costs", limit: 45 * time.Second, run: samePart},
		{name: "pytorch", what: "the steps in PyTorch, eager, also with channels last", limit: 60 * time.Second, run: torchSteps},
		{name: "compiled", what: "some of them in PyTorch, compiled", limit: 60 * time.Second, run: compiledSteps},
	}
	for i := range all {
		switch {
		case s.short:
			all[i].limit = 60 * time.Second
		case s.standIn:
			all[i].limit *= 2
		}
	}
	return all
}

// machine tells what is there. The loader needs nothing if the plugin finds NVIDIA's libraries
// by itself; else their folders are given to it, for this part and the others.
func machine(ctx context.Context, r *running) error {
	g, err := firstGPU()
	if err != nil {
		return err
	}
	text := map[string]string{"gpu": g.Name, "driver": g.Driver, "capability": fmt.Sprintf("%.1f", g.Capability), "date": time.Now().UTC().Format(time.DateOnly)}
	for name, version := range r.there.versions {
		text[name] = version
	}
	golang, cc := compilers()
	text["go"], text["cc"] = orMissing(golang), orMissing(cc)
	if err := r.say(record.Record{Text: text, Values: map[string]float64{"memory_mb": float64(g.Memory)}}); err != nil {
		return err
	}
	loader := "nothing"
	first, err := r.worker(ctx, nil, "report")
	if (err != nil || kindOf(first) != "cuda") && ctx.Err() == nil && len(r.there.libraries) > 0 {
		if noteErr := r.say(record.Record{Note: fmt.Sprintf("without LD_LIBRARY_PATH: %v", err)}); noteErr != nil {
			return noteErr
		}
		loader = "LD_LIBRARY_PATH"
		r.there.env = append(r.there.env, "LD_LIBRARY_PATH="+strings.Join(r.there.libraries, ":"))
		first, err = r.worker(ctx, nil, "report")
	}
	if err != nil {
		return err
	}
	if kind := kindOf(first); kind != "cuda" {
		return fmt.Errorf("expected to compute on cuda, got %s: %s", kind, first[0].Text["note"])
	}
	if err := r.say(record.Record{Text: map[string]string{"loader": loader}}); err != nil {
		return err
	}
	// The plugin is not tried again.
	_, err = r.worker(ctx, nil, "report")
	return err
}

func orMissing(path string) string {
	if path == "" {
		return "none"
	}
	return path
}

func kindOf(reports []record.Record) string {
	if len(reports) == 0 {
		return "nothing"
	}
	return reports[0].Text["kind"]
}

// documentPart runs the document's program twice: XLA tries kernels in the first only.
func documentPart(ctx context.Context, r *running) error {
	args := []string{"document"}
	times, want := 2, 0.988
	switch {
	case r.short:
		times, args, want = 1, append(args, "-epochs", "1", "-examples", "4096"), 0.75
	case r.standIn:
		times, args, want = 1, append(args, "-epochs", "1"), 0.96
	}
	best := 0.0 // which weights it begins with is chance
	for range times {
		got, err := r.worker(ctx, nil, args...)
		if err != nil {
			return err
		}
		best = max(best, got[0].Values["test_accuracy"])
	}
	if best < want {
		return fmt.Errorf("expected a test accuracy of at least %g, got %g", want, best)
	}
	return nil
}

func hostPart(ctx context.Context, r *running) error {
	_, err := r.worker(ctx, nil, "host", "-measure", r.measure()+"s")
	return err
}

// memoryPart has two programs compute at once, without and with a limit, and one that wants
// more memory than it may have.
func memoryPart(ctx context.Context, r *running) error {
	for _, env := range [][]string{nil, {"GRADBOOK_GPU_MEMORY=0.3"}} {
		err := r.sampled(ctx, strings.Join(append([]string{"two programs"}, env...), ", "), func() error {
			failed := make(chan error)
			for range 2 {
				go func() {
					failed <- oneFailed(r.worker(ctx, env, "steps", "-configs", "mlp:512:tf32", "-measure", r.measure()+"s"))
				}()
			}
			return errors.Join(<-failed, <-failed)
		})
		if err != nil {
			return err
		}
	}
	if r.standIn {
		_, err := r.worker(ctx, []string{"FAKE_MEMORY=100000000"}, "oom", "-batch", "1024")
		return err
	}
	// Each operation of such a step fits into 4 GB, which it may have to be tried; all do not.
	g, err := firstGPU()
	if err != nil {
		return err
	}
	_, err = r.worker(ctx, []string{fmt.Sprintf("GRADBOOK_GPU_MEMORY=%.4f", 4096/float64(max(g.Memory, 4096)))}, "oom", "-batch", "30000")
	return err
}

// filePart saves on the GPU and loads in pure Go, which every machine has.
func filePart(ctx context.Context, r *running) error {
	dir, err := os.MkdirTemp("", "model-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover is only clutter
	exact := "GRADBOOK_TF32=0"
	if _, err := r.worker(ctx, []string{exact}, "save", "-dir", dir); err != nil {
		return err
	}
	got, err := r.worker(ctx, []string{"GRADBOOK_DEVICE=go"}, "load", "-dir", dir)
	if err != nil {
		return err
	}
	const most = 1e-4
	if d := got[0].Values["worst_difference"]; !(d <= most) || got[0].Text["loaded_on"] != "go" {
		return fmt.Errorf("expected predictions on the CPU within %g of those on the GPU, got %g on %s", most, d, got[0].Text["loaded_on"])
	}
	return nil
}

// samePart trains with a seed, without, which says what it costs and leaves kernels that have
// been tried, and with the seed again.
func samePart(ctx context.Context, r *running) error {
	examples := "12800"
	if r.short || r.standIn {
		examples = "640"
	}
	var weights []string
	for _, seed := range []string{"-seed=true", "-seed=false", "-seed=true"} {
		got, err := r.worker(ctx, nil, "train", "-examples", examples, seed, "-measure", r.measure()+"s")
		if err != nil {
			return err
		}
		if seed == "-seed=true" {
			weights = append(weights, got[0].Text["weights"])
		}
	}
	if weights[0] != weights[1] {
		return fmt.Errorf("expected the same weights of the same seed, got %s and %s", weights[0], weights[1])
	}
	return nil
}

// sessionPart runs a notebook whose cells share a model, in a checkout that is set up.
func sessionPart(ctx context.Context, r *running) error {
	golang, cc := compilers()
	if golang == "" || cc == "" {
		return leftOutError{fmt.Sprintf("a session compiles its cells; go: %s, C compiler: %s", orMissing(golang), orMissing(cc))}
	}
	gradbook := r.gradbook
	if gradbook == "" {
		var err error
		if gradbook, err = exec.LookPath("gradbook"); err != nil {
			return leftOutError{"no gradbook command that is set up; -gradbook names one"}
		}
	}
	var found bool
	_, err := r.execute(ctx, command{
		args: []string{gradbook, "run", "-o", filepath.Join(r.out, "session"), filepath.Join(r.files, "session.ipynb")},
		own:  true,
		line: func(line string) error {
			if strings.Contains(line, "computed on cuda true") {
				found = true
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	if !found {
		return errors.New("expected a session that computes on cuda, got another; see the notebook in " + r.out)
	}
	return nil
}
