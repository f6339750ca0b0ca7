package main

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/bench/networks"
)

// work is what is measured at once: a network, a batch size and a number of threads.
type work struct {
	model   string
	batch   int
	threads int
	steps   int // that are measured; 0 is an epoch
}

func (w work) String() string {
	s := fmt.Sprintf("%s, batch %d", w.model, w.batch)
	if w.threads < runtime.NumCPU() {
		s += fmt.Sprintf(", %d thread", w.threads)
	}
	return s
}

// small are networks of which an epoch takes seconds; of others so many steps are measured.
var small = []string{"cnn", "mlp", "simple_rnn", "lstm", "gru"}

const someSteps = 20

// usual are the batch sizes of networks, with more than one for those that are measured at several; the others
// have 32.
var usual = map[string][]int{"cnn": {1, 32, 128}, "mlp": {1, 32, 128}, "simple_rnn": {64}, "lstm": {64}, "gru": {64}}

// alone are networks that are measured on one thread, too, at the middle of their batch sizes.
var alone = []string{"cnn", "mlp", "lstm"}

// worksOf are the networks of a comma-separated list, at a batch size and with a number of threads or, for 0,
// the usual ones.
func worksOf(models string, batch, threads int) (all []work, err error) {
	for model := range strings.SplitSeq(models, ",") {
		if err := networks.Known(model); err != nil {
			return nil, err
		}
		sizes := usual[model]
		if batch > 0 {
			sizes = []int{batch}
		} else if sizes == nil {
			sizes = []int{32}
		}
		for i, size := range sizes {
			w := work{model: model, batch: size, threads: cmp.Or(threads, runtime.NumCPU())}
			if !slices.Contains(small, model) {
				w.steps = someSteps
			} else if size == 1 {
				w.steps = 50 * someSteps
			}
			all = append(all, w)
			if i == len(sizes)/2 && slices.Contains(alone, model) && threads == 0 && runtime.NumCPU() > 1 {
				w.threads = 1
				all = append(all, w)
			}
		}
	}
	return all, nil
}
