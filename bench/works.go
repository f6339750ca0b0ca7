package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/bench/networks"
)

// work is what is measured at once: a network and a batch size.
type work struct {
	model string
	batch int
	steps int // that are measured; 0 is an epoch
}

func (w work) String() string { return fmt.Sprintf("%s, batch %d", w.model, w.batch) }

// small are networks of which an epoch takes seconds; of others so many steps are measured.
var small = []string{"cnn", "mlp", "simple_rnn", "lstm", "gru"}

const someSteps = 20

// worksOf are the networks of a comma-separated list, at a batch size or, for 0, the usual ones.
func worksOf(models string, batch int) (all []work, err error) {
	for model := range strings.SplitSeq(models, ",") {
		if err := networks.Known(model); err != nil {
			return nil, err
		}
		sizes := []int{batch}
		if batch == 0 {
			sizes = []int{64}
			switch model {
			case "cnn", "mlp":
				sizes = []int{32, 128}
			case "resnet18", "mobilenetv2", "encoder", "gpt":
				sizes = []int{32}
			}
		}
		for _, size := range sizes {
			w := work{model: model, batch: size}
			if !slices.Contains(small, model) {
				w.steps = someSteps
			}
			all = append(all, w)
		}
	}
	return all, nil
}
