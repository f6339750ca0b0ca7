// Worker computes on the device, for bench/gpu's runner: each command prints what it has found
// as lines of record.Record.
//
//	worker report
//	worker steps -configs cnn:128:tf32,lstm:128:bfloat16
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gradbook/gradbook/bench/gpu/record"
	"github.com/gradbook/gradbook/datasets"
	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/data"
)

// options are those of all commands; each says which it heeds.
type options struct {
	configs  string
	measure  time.Duration
	epochs   int
	examples int
	batch    int
	seed     bool
	dir      string
}

var commands = map[string]func(options) error{
	"report":   report,
	"document": document,
	"steps":    steps,
	"host":     host,
	"save":     save,
	"load":     load,
	"oom":      oom,
	"train":    train,
}

func main() {
	var o options
	set := flag.NewFlagSet("worker", flag.ExitOnError)
	set.StringVar(&o.configs, "configs", "cnn:128:tf32", "comma-separated model:batch:dtype (steps)")
	set.DurationVar(&o.measure, "measure", 1500*time.Millisecond, "how long each is measured (steps, host)")
	set.IntVar(&o.epochs, "epochs", 5, "how often the digits are gone through (document)")
	set.IntVar(&o.examples, "examples", 60000, "how many of them (document, train)")
	set.IntVar(&o.batch, "batch", 60000, "a batch for which there is too little memory (oom)")
	set.BoolVar(&o.seed, "seed", false, "compute the same each time (document, train)")
	set.StringVar(&o.dir, "dir", "", "folder for files (save, load)")
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "worker: expected a command of report, document, steps, host, save, load, oom, train")
		os.Exit(2)
	}
	_ = set.Parse(os.Args[2:]) // it exits
	if err := commands[os.Args[1]](o); err != nil {
		fmt.Fprintf(os.Stderr, "worker %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

// say prints a record.
func say(r record.Record) error {
	r.Who = "gradbook"
	return r.Write(os.Stdout)
}

// digits are MNIST's, from 0 to 1, on the device.
func digits(examples int) (train, test *data.Dataset, err error) {
	train, test, err = datasets.MNIST()
	if err != nil {
		return nil, nil, err
	}
	return train.Take(examples).Map(data.Rescale(1 / 255.0)), test.Map(data.Rescale(1 / 255.0)), nil
}

// report says what the device is, and how long it takes to open it, which is longer where the
// plugin has not been tried before.
func report(options) error {
	began := time.Now()
	d, err := dl.Device()
	if err != nil {
		return err
	}
	opened := time.Since(began)
	began = time.Now()
	_, test, err := digits(60000)
	if err != nil {
		return err
	}
	m, err := dl.Load(fixture("cnn"))
	if err != nil {
		return err
	}
	if _, err := m.Predict(context.Background(), test.Take(1)); err != nil {
		return err
	}
	text := map[string]string{"device": d.Description, "kind": d.Kind, "plugin": d.Plugin}
	if d.Note != "" {
		text["note"] = strings.TrimSpace(d.Note)
	}
	return say(record.Record{
		Text:   text,
		Values: map[string]float64{"open_s": opened.Seconds(), "first_prediction_s": time.Since(began).Seconds()},
	})
}
