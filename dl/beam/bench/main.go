// Bench measures predictions of digits in a pipeline on Prism beside Model.Predict in one process, in one run and
// in turn: go run ./bench in dl/beam.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	dlbeam "github.com/gradbook/gradbook/dl/beam"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	beam.RegisterType(reflect.TypeFor[dlbeam.Example]())
	register.Function2x0(digits)
	register.Emitter1[dlbeam.Example]()
	register.Function1x1(one)
	register.Function2x1(add)
}

// digits makes a share of the examples, as a reader of files does.
func digits(n int, emit func(dlbeam.Example)) {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	image := make([]float32, 784)
	for i := range image {
		image[i] = r.Float32()
	}
	for i := range n {
		emit(dlbeam.Example{Key: strconv.Itoa(i), X: image})
	}
}

func one(dlbeam.Prediction) int { return 1 }
func add(a, b int) int          { return a + b }

func main() {
	n := flag.Int("n", 1_000_000, "how many digits")
	shares := flag.Int("shares", 8, "in how many parts")
	flag.Parse()
	beam.Init()
	if err := run(*n, *shares); err != nil {
		log.Fatal(err)
	}
}

func run(n, shares int) error {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{28, 28, 1}},
		layers.Conv2D{Filters: 32, KernelSize: [2]int{3, 3}, Activation: activations.ReLU}, layers.MaxPooling2D{},
		layers.Conv2D{Filters: 64, KernelSize: [2]int{3, 3}, Activation: activations.ReLU}, layers.MaxPooling2D{},
		layers.Flatten{}, layers.Dense{Units: 10, Activation: activations.Softmax})
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-beam-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "digits.keras")
	if err := m.Save(path); err != nil {
		return err
	}
	for range 3 {
		start := time.Now()
		x := make([]float32, 256*784)
		for range n / 256 {
			if _, err := m.PredictOnBatch(tensor.New(x, 256, 28, 28, 1)); err != nil {
				return err
			}
		}
		alone := time.Since(start)
		start = time.Now()
		p, s := beam.NewPipelineWithRoot()
		parts := make([]int, shares)
		for i := range parts {
			parts[i] = n / shares
		}
		examples := beam.ParDo(s, digits, beam.Reshuffle(s, beam.CreateList(s, parts)))
		beam.Combine(s, add, beam.ParDo(s, one, dlbeam.Predict(s, path, examples)))
		if _, err := prism.Execute(context.Background(), p); err != nil {
			return err
		}
		took := time.Since(start)
		fmt.Printf("%d digits: Predict %.1f s, on Prism %.1f s: %.2f times\n", n, alone.Seconds(), took.Seconds(), took.Seconds()/alone.Seconds())
	}
	return nil
}
