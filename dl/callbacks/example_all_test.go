package callbacks_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// fit trains a small model for three epochs with callbacks, and returns what was measured.
func fit(all ...callbacks.Callback) *dl.History {
	dl.SetRandomSeed(1)
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{1}}, layers.Dense{Units: 1})
	if err != nil {
		panic(err)
	}
	if err := m.Compile(dl.CompileConfig{Loss: losses.MeanSquaredError{}, Optimizer: optimizers.SGD{LearningRate: 0.1}}); err != nil {
		panic(err)
	}
	ds, err := data.FromSlices([][]float32{{0}, {1}, {2}, {3}}, []float32{1, 3, 5, 7})
	if err != nil {
		panic(err)
	}
	h, err := m.Fit(context.Background(), ds, dl.FitConfig{Epochs: 3, NoShuffle: true, Silent: true, Callbacks: all})
	if err != nil {
		panic(err)
	}
	return h
}

// folder is an empty one, and what removes it.
func folder() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }
}

func ExampleBackupAndRestore() {
	dir, remove := folder()
	defer remove()
	fit(&callbacks.BackupAndRestore{Path: filepath.Join(dir, "backup.safetensors")})
	entries, err := os.ReadDir(dir)
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		fmt.Println(e.Name())
	}
	fmt.Println("removed at the end:", len(entries) == 0)
	// Output:
	// removed at the end: true
}

func ExampleCSVLogger() {
	dir, remove := folder()
	defer remove()
	path := filepath.Join(dir, "log.csv")
	fit(&callbacks.CSVLogger{Path: path})
	text, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	fmt.Println(strings.Count(string(text), "\n"), strings.SplitN(string(text), "\n", 2)[0])
	// Output:
	// 4 epoch,loss
}

func ExampleLearningRateScheduler() {
	fit(&callbacks.LearningRateScheduler{Schedule: func(epoch int, rate float64) float64 {
		fmt.Printf("epoch %d: %.3f\n", epoch, rate)
		return rate / 2
	}})
	// Output:
	// epoch 0: 0.100
	// epoch 1: 0.050
	// epoch 2: 0.025
}

func ExampleModelCheckpoint() {
	dir, remove := folder()
	defer remove()
	fit(&callbacks.ModelCheckpoint{Path: filepath.Join(dir, "epoch-{epoch}.safetensors")})
	entries, err := os.ReadDir(dir)
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		fmt.Println(e.Name())
	}
	// Output:
	// epoch-1.safetensors
	// epoch-2.safetensors
	// epoch-3.safetensors
}

func ExampleMode() {
	dir, remove := folder()
	defer remove()
	fit(&callbacks.ModelCheckpoint{Path: filepath.Join(dir, "best.safetensors"), Monitor: "loss", Mode: callbacks.Min, SaveBestOnly: true})
	entries, err := os.ReadDir(dir)
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		fmt.Println(e.Name())
	}
	// Output:
	// best.safetensors
}

func ExampleProgressBar() {
	fit(&callbacks.ProgressBar{W: io.Discard}) // what Fit shows unless it is Silent
	fmt.Println("shown")
	// Output:
	// shown
}

func ExampleReduceLROnPlateau() {
	h := fit(&callbacks.ReduceLROnPlateau{Monitor: "loss", Patience: 1})
	fmt.Println(h.Epochs())
	// Output:
	// 3
}

func ExampleTensorBoard() {
	dir, remove := folder()
	defer remove()
	fit(&callbacks.TensorBoard{LogDir: dir})
	found := 0
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if strings.Contains(path, "tfevents") {
			found++
		}
		return err
	})
	fmt.Println(found > 0, err)
	// Output:
	// true <nil>
}
