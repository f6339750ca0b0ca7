// Mpi is a program that trains by several processes, for the tests: it prints each epoch's loss, and a sum of
// the weights, of each process.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

var (
	epochs   = flag.Int("epochs", 3, "")
	examples = flag.Int("examples", 330, "")
	batch    = flag.Int("batch", 64, "")
	seed     = flag.Uint64("seed", 1, "0 has each process draw its own weights")
	backup   = flag.String("backup", "", "file of a BackupAndRestore")
	die      = flag.String("die", "", "rank:epoch at which that process is killed")
	failing  = flag.Int("fail", -1, "rank whose callback fails")
	wide     = flag.Int("wide", 32, "units")
	dropout  = flag.Float64("dropout", 0, "")
)

func main() {
	flag.Parse()
	p, err := dl.UseMPI()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	if err := train(p); err != nil {
		log.Fatal(err)
	}
}

// fault kills a process, or fails.
type fault struct {
	callbacks.Base
	rank int
}

func (f *fault) OnEpochBegin(t *callbacks.Training) error {
	var rank, epoch int
	if n, _ := fmt.Sscanf(*die, "%d:%d", &rank, &epoch); n == 2 && rank == f.rank && epoch == t.Epoch {
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			return err
		}
		_ = self.Kill()
		select {}
	}
	if f.rank == *failing && t.Epoch == 1 {
		return fmt.Errorf("told to fail")
	}
	return nil
}

func train(p *dl.Processes) error {
	if *seed > 0 {
		dl.SetRandomSeed(*seed)
	}
	r := rand.New(rand.NewPCG(1, 2))
	x, y := make([]float32, *examples*20), make([]int32, *examples)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	for i := range y {
		y[i] = int32(r.IntN(3))
		x[i*20+int(y[i])] += 2
	}
	ds, err := data.New(tensor.New(x, *examples, 20), tensor.New(y, *examples))
	if err != nil {
		return err
	}
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{20}},
		layers.Dense{Units: *wide, Activation: activations.ReLU}, layers.BatchNormalization{}, layers.Dropout{Rate: *dropout},
		layers.Dense{Units: *wide, Activation: activations.Tanh}, layers.Dense{Units: 3, Activation: activations.Softmax})
	if err != nil {
		return err
	}
	err = m.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{LearningRate: 0.01}, Loss: losses.SparseCategoricalCrossentropy{}, Metrics: []metrics.Metric{metrics.Accuracy{}}})
	if err != nil {
		return err
	}
	all := []callbacks.Callback{&fault{rank: p.Rank()}}
	if *backup != "" {
		all = append(all, &callbacks.BackupAndRestore{Path: *backup})
	}
	start := time.Now()
	h, err := m.Fit(context.Background(), ds, dl.FitConfig{Epochs: *epochs, BatchSize: *batch, Silent: true, Callbacks: all})
	if err != nil {
		return err
	}
	took := time.Since(start)
	weights, err := m.Weights()
	if err != nil {
		return err
	}
	sum := 0.0
	for _, w := range weights {
		v, err := tensor.Flat[float32](w)
		if err != nil {
			return err
		}
		for i, n := range v {
			sum += float64(n) * math.Sin(float64(i))
		}
	}
	out, err := json.Marshal(map[string]any{"rank": p.Rank(), "size": p.Size(), "loss": h.Metrics["loss"], "accuracy": h.Metrics["accuracy"], "sum": sum, "seconds": took.Seconds()})
	fmt.Println(string(out))
	return err
}
