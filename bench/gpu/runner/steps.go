package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/gradbook/gradbook/bench/gpu/record"
)

// configs are what is measured of ours and of the peers: model:batch:dtype. In float32 nothing
// is rounded to TF32.
var (
	configs = []string{
		"cnn:32:tf32", "cnn:512:tf32", "cnn:4096:tf32", "cnn:512:bfloat16", "cnn:4096:bfloat16",
		"lstm:128:tf32", "transformer:128:tf32", "transformer:512:bfloat16", "cnn:128:tf32",
		"cnn:512:float32",
	}
	shortConfigs    = []string{"cnn:32:tf32"}
	standInConfigs  = []string{"cnn:32:tf32", "cnn:512:bfloat16", "lstm:64:tf32", "transformer:32:tf32", "cnn:32:float32"}
	compiledConfigs = []string{"cnn:512:tf32", "cnn:4096:bfloat16", "transformer:128:tf32"}
)

func (r *running) configs(all []string) string {
	switch {
	case r.short:
		all = shortConfigs
	case r.standIn:
		all = standInConfigs
	}
	return strings.Join(all, ",")
}

func (r *running) measure() string {
	switch {
	case r.short:
		return "0.2"
	case r.standIn:
		return "0.5"
	}
	return "1.5"
}

// ourSteps measures ours: types are for a whole program.
func ourSteps(ctx context.Context, r *running) error {
	var fast, exact []string
	for c := range strings.SplitSeq(r.configs(configs), ",") {
		if strings.HasSuffix(c, ":float32") {
			exact = append(exact, c)
		} else {
			fast = append(fast, c)
		}
	}
	for i, some := range [][]string{exact, fast} {
		if len(some) == 0 {
			continue
		}
		// Kernels are tried anew, as the peers try theirs.
		tried, err := os.MkdirTemp(r.files, "autotuned-*")
		if err != nil {
			return err
		}
		env := []string{fmt.Sprintf("GRADBOOK_TF32=%d", i), "XLA_FLAGS=--xla_gpu_per_fusion_autotune_cache_dir=" + tried}
		err = r.sampled(ctx, "gradbook", func() error {
			return oneFailed(r.worker(ctx, env, "steps", "-configs", strings.Join(some, ","), "-measure", r.measure()+"s"))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// oneFailed reports a configuration that failed, of a program that went on with others.
func oneFailed(all []record.Record, err error) error {
	for _, rec := range all {
		if rec.Note != "" {
			err = errors.Join(err, fmt.Errorf("%s, batch %d, %s: %s", rec.Model, rec.Batch, rec.DType, rec.Note))
		}
	}
	return err
}

func jaxSteps(ctx context.Context, r *running) error {
	if !r.there.has("jax") || !r.there.has("optax") {
		return leftOutError{"no jax with optax in this Python"}
	}
	return r.sampled(ctx, "jax", func() error {
		return oneFailed(r.peer(ctx, "jax_gpu.py", "--configs", r.configs(configs), "--measure", r.measure()))
	})
}

func torchSteps(ctx context.Context, r *running) error {
	if !r.there.has("torch") {
		return leftOutError{"no torch in this Python"}
	}
	var images []string // layouts are for images
	for c := range strings.SplitSeq(r.configs(configs), ",") {
		if strings.HasPrefix(c, "cnn:") {
			images = append(images, c)
		}
	}
	for _, v := range []struct{ variant, name, configs string }{
		{"eager", "pytorch eager", r.configs(configs)},
		{"channels_last", "pytorch channels last", strings.Join(images, ",")},
	} {
		err := r.sampled(ctx, v.name, func() error {
			return oneFailed(r.peer(ctx, "torch_gpu.py", "--variant", v.variant, "--configs", v.configs, "--measure", r.measure()))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func compiledSteps(ctx context.Context, r *running) error {
	if !r.there.has("torch") {
		return leftOutError{"no torch in this Python"}
	}
	if _, cc := compilers(); cc == "" {
		return leftOutError{"no C compiler, which torch.compile needs"}
	}
	return r.sampled(ctx, "pytorch compiled", func() error {
		return oneFailed(r.peer(ctx, "torch_gpu.py", "--variant", "compiled", "--configs", r.configs(compiledConfigs), "--measure", r.measure()))
	})
}
