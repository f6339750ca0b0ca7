// Kernels measures the kernel beside stock GoNB and beside Python's with Keras,
// in one run over the kernels' sockets: from a request to execute to idle.
//
//	make bench-kernels
//
// The peers of `make bench` must be installed, which that does.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gradbook/gradbook/bench/peers"
	"github.com/gradbook/gradbook/kernel/install"
)

// cellsForMemory is how many further cells run before memory is looked at.
const cellsForMemory = 100

type kernel struct {
	Name  string            `json:"name"`
	Argv  []string          `json:"argv"`
	Env   map[string]string `json:"env"`
	Setup []string          `json:"setup"`
	Add   string            `json:"add"`
	Model string            `json:"model"`
}

type result struct {
	Name                            string
	Ready, Add, Model, Again, Grown float64
}

const network = `layers.Input{Shape: layers.Shape{784}}, layers.Dense{Units: 64, Activation: activations.ReLU}, layers.Dense{Units: 10, Activation: activations.Softmax}`

const imports = `import (
	"context"
	"fmt"
	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
)
`

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	l, err := install.Find(".")
	if err != nil {
		return err
	}
	tools, err := install.KernelTools(l)
	if err != nil {
		return err
	}
	packages, err := peers.Packages(l)
	if err != nil {
		return err
	}
	stock := map[string]string{"PATH": l.Toolchain() + ":" + l.Bin() + ":" + filepath.Dir(tools.Go) + ":" + os.Getenv("PATH"), "GRADBOOK_GO": tools.Go, "GRADBOOK_WORKSPACE": l.Workspace(), "GOMLX_NO_AUTO_INSTALL": "1", "GOFLAGS": ""}
	kernels := []kernel{
		{
			Name: "gradbook", Argv: []string{l.Program("gradbook"), "kernel", "{connection_file}"},
			Setup: []string{"model, err := dl.Sequential(" + network + ")", "x, err := data.FromFlat(make([]float32, 32*784), []int{784}, make([]int32, 32), nil)"},
			Add:   "1 + @", Model: "y, err := model.Predict(context.Background(), x)\n@",
		},
		{
			Name: "GoNB 0.11.4, each cell a program", Argv: []string{l.Program("gonb"), "--kernel", "{connection_file}"}, Env: stock,
			Add:   "import \"fmt\"\n%%\nfmt.Println(1 + @)",
			Model: imports + "%%\nmodel, err := dl.Sequential(" + network + ")\nif err != nil {\n\tpanic(err)\n}\nx, err := data.FromFlat(make([]float32, 32*784), []int{784}, make([]int32, 32), nil)\nif err != nil {\n\tpanic(err)\n}\ny, err := model.Predict(context.Background(), x)\nfmt.Println(y != nil, err, @)",
		},
		{
			Name: "ipykernel, Keras on TensorFlow", Argv: []string{l.Python(), "-m", "ipykernel_launcher", "-f", "{connection_file}"},
			Env:   map[string]string{"PYTHONPATH": packages, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""},
			Setup: []string{"import keras, numpy as np\nfrom keras import layers\nmodel = keras.Sequential([keras.Input((784,)), layers.Dense(64, activation='relu'), layers.Dense(10, activation='softmax')])\nx = np.zeros((32, 784), 'float32')"},
			Add:   "1 + @", Model: "y = model.predict(x, verbose=0)\n@",
		},
	}
	for i := range kernels {
		if kernels[i].Env == nil {
			kernels[i].Env = map[string]string{}
		}
		if kernels[i].Setup == nil {
			kernels[i].Setup = []string{}
		}
	}
	var results []result
	if err := peers.Measure(l, "kernels.py", kernels, &results, fmt.Sprint(cellsForMemory)); err != nil {
		return err
	}
	fmt.Printf("| | ready s | a sum ms | a model's prediction ms | a cell again ms | MB for %d cells |\n|---|---|---|---|---|---|\n", cellsForMemory)
	for _, r := range results {
		fmt.Printf("| %s | %.2f | %.0f | %.0f | %.1f | %.0f |\n", r.Name, r.Ready, r.Add, r.Model, r.Again, r.Grown)
	}
	return nil
}
