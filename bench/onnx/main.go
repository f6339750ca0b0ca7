// Onnx measures ONNX files of PyPI packages here and in onnxruntime, in one run and in turn:
// the same file, numbers and threads.
//
//	make bench-onnx
//
// The files are those that the tests of dl/onnx install.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/gradbook/gradbook/bench/peers"
	"github.com/gradbook/gradbook/dl/onnx"
	"github.com/gradbook/gradbook/dl/tensor"
	"github.com/gradbook/gradbook/kernel/install"
)

type input struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Shape []int  `json:"shape"`
}

type file struct {
	Path    string  `json:"path"`
	Threads int     `json:"threads"`
	Inputs  []input `json:"inputs"`
}

// result is the first run with loading, in seconds, and the median of the others.
type result struct {
	First float64 `json:"first"`
	MS    float64 `json:"ms"`
}

func files() []file {
	image := func(path, name string, height, width int) file {
		return file{Path: path, Inputs: []input{{name, "float32", []int{1, 3, height, width}}}}
	}
	all := []file{
		image("rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx", "x", 320, 320),
		image("rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx", "x", 48, 320),
		image("rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx", "x", 48, 192),
		{Path: "magika/models/standard_v3_3/model.onnx", Inputs: []input{{"bytes", "int32", []int{1, 2048}}}},
		{Path: "silero_vad/data/silero_vad_openvino_16k.onnx", Inputs: []input{{"input", "float32", []int{1, 576}}, {"state", "float32", []int{2, 1, 128}}}},
	}
	for _, name := range []string{"bvlc_alexnet", "densenet121", "inception_v1", "resnet50", "shufflenet", "squeezenet", "vgg19"} {
		in := "data_0"
		if name == "resnet50" || name == "shufflenet" {
			in = "gpu_0/data_0"
		}
		all = append(all, image("onnx/backend/test/data/light/light_"+name+".onnx", in, 224, 224))
	}
	for i := range all {
		all[i].Path = filepath.Join(".gradbook", "onnx", filepath.FromSlash(all[i].Path))
		all[i].Threads = runtime.GOMAXPROCS(0)
	}
	return all
}

func main() {
	if err := run(3); err != nil {
		fmt.Fprintln(os.Stderr, "bench/onnx:", err)
		os.Exit(1)
	}
}

func run(rounds int) error {
	l, err := install.Find(".")
	if err != nil {
		return err
	}
	// A folder of its own: the first run compiles, the others find what it has kept.
	programs, err := os.MkdirTemp("", "programs-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(programs) //nolint:errcheck // a leftover is only clutter
	if err := os.Setenv("GRADBOOK_COMPILATION_CACHE", programs); err != nil {
		return err
	}
	fmt.Println("| file | ours ms | onnxruntime ms | ours / theirs | first s | first s again | onnxruntime first s |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, f := range files() {
		if _, err := os.Stat(f.Path); err != nil {
			return fmt.Errorf("%w; go test ./dl/onnx -run TestFiles installs it", err)
		}
		var ours, theirs []result
		for range rounds {
			a, err := measure(f)
			if err != nil {
				return fmt.Errorf("%s: %w", f.Path, err)
			}
			b, err := peer(l, f)
			if err != nil {
				return fmt.Errorf("%s: %w", f.Path, err)
			}
			ours, theirs = append(ours, a), append(theirs, b)
		}
		a, b := best(ours), best(theirs)
		fmt.Printf("| %s | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f |\n", filepath.Base(f.Path), a.MS, b.MS, a.MS/b.MS, ours[0].First, a.First, b.First)
	}
	return nil
}

// best is the least of each, for both sides: what else the machine does only adds to it.
func best(all []result) result {
	out := all[0]
	for _, r := range all {
		out.First, out.MS = min(out.First, r.First), min(out.MS, r.MS)
	}
	return out
}

func measure(f file) (r result, err error) {
	feed := make(map[string]*tensor.Tensor)
	for _, i := range f.Inputs {
		feed[i.Name] = numbers(i)
	}
	begin := time.Now()
	s, err := onnx.Open(f.Path)
	if err != nil {
		return r, err
	}
	if _, err := s.Run(feed); err != nil {
		return r, err
	}
	r.First = time.Since(begin).Seconds()
	var times []float64
	for from := time.Now(); time.Since(from) < time.Second || len(times) < 5; {
		begin := time.Now()
		if _, err := s.Run(feed); err != nil {
			return r, err
		}
		times = append(times, time.Since(begin).Seconds()*1e3)
	}
	slices.Sort(times)
	r.MS = times[len(times)/2]
	return r, nil
}

// numbers are those of onnx_run.py.
func numbers(i input) *tensor.Tensor {
	n := 1
	for _, d := range i.Shape {
		n *= d
	}
	if i.Type == "int32" {
		values := make([]int32, n)
		for k := range values {
			values[k] = int32(k % 257)
		}
		return tensor.New(values, i.Shape...)
	}
	values := make([]float32, n)
	for k := range values {
		values[k] = float32(float64(k%17) / 17)
	}
	return tensor.New(values, i.Shape...)
}

// peer runs a file in onnxruntime, in the environment in which the tests have it.
func peer(l install.Layout, f file) (result, error) {
	var all []result
	if err := peers.Measure(l, "onnx_run.py", []file{f}, &all); err != nil {
		return result{}, err
	}
	if len(all) != 1 {
		return result{}, fmt.Errorf("expected one result, got %d", len(all))
	}
	return all[0], nil
}
