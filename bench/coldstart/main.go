// Coldstart measures, here and with Python's kernel and Keras, in one run: from the
// start of JupyterLab's process to the first output of a cell that makes a network and
// predicts with it.
//
//	make bench-coldstart
//	go run ./bench/coldstart -disk    # as root: with files read from the disk anew
//
// The peers of `make bench` must be installed, which that does.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"

	"github.com/gradbook/gradbook/bench/peers"
	"github.com/gradbook/gradbook/kernel/install"
)

// contestant is a kernel, and the cell that it is given.
type contestant struct {
	Name   string `json:"name"`
	Kernel string `json:"kernel"`
	Code   string `json:"code"`
}

const goCell = `model, err := dl.Sequential(
	layers.Input{Shape: layers.Shape{784}},
	layers.Dense{Units: 64, Activation: activations.ReLU},
	layers.Dense{Units: 10, Activation: activations.Softmax},
)
x, err := data.FromFlat(make([]float32, 32*784), []int{784}, make([]int32, 32), nil)
y, err := model.Predict(context.Background(), x)
fmt.Println(y.Shape())`

const pythonCell = `import keras
import numpy as np
from keras import layers
model = keras.Sequential([
    keras.Input((784,)),
    layers.Dense(64, activation='relu'),
    layers.Dense(10, activation='softmax'),
])
x = np.zeros((32, 784), 'float32')
y = model.predict(x, verbose=0)
print(y.shape, flush=True)`

func main() {
	rounds := flag.Int("rounds", 3, "how often each is measured, in turn")
	disk := flag.Bool("disk", false, "have the system forget files before each, which takes root")
	flag.Parse()
	if err := run(*rounds, *disk); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(rounds int, disk bool) error {
	l, err := install.Find(".")
	if err != nil {
		return err
	}
	packages, err := peers.Packages(l)
	if err != nil {
		return err
	}
	// In the cell, so that only the kernel has the peers' packages, not JupyterLab.
	keras := func(backend string) string {
		return fmt.Sprintf("import os, sys\nsys.path.insert(0, %q)\nos.environ.update(KERAS_BACKEND=%q, TF_CPP_MIN_LOG_LEVEL='3', JAX_PLATFORMS='cpu', CUDA_VISIBLE_DEVICES='')\n", packages, backend) + pythonCell
	}
	all := []contestant{
		{"gradbook", install.KernelName, goCell},
		{"ipykernel, Keras on TensorFlow", "python3", keras("tensorflow")},
		{"ipykernel, Keras on JAX", "python3", keras("jax")},
	}
	from := "memory"
	if disk {
		from = "cold"
	}
	var found map[string][]struct{ Server, Ready, Output float64 }
	if err := peers.Measure(l, "coldstart.py", all, &found, fmt.Sprint(rounds), from); err != nil {
		return err
	}
	fmt.Println("| | server answers s | kernel is ready s | first output s | ours / theirs |\n|---|---|---|---|---|")
	var ours float64
	for i, c := range all {
		var server, ready, output []float64
		for _, r := range found[c.Name] {
			server, ready, output = append(server, r.Server), append(ready, r.Ready), append(output, r.Output)
		}
		if i == 0 {
			ours = median(output)
		}
		fmt.Printf("| %s | %.2f | %.2f | %.2f | %.2f |\n", c.Name, median(server), median(ready), median(output), ours/median(output))
	}
	return nil
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
