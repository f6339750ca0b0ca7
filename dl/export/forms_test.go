package export

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gradbook/gradbook/datasets"
	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/onnx"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// digits is the document's network after an epoch on MNIST, and MNIST's test images.
var digits = sync.OnceValues(func() (*trained, error) {
	dl.SetRandomSeed(7)
	m, err := dl.Sequential(append([]layers.Layer{layers.Input{Shape: layers.Shape{28, 28, 1}}, layers.Rescaling{Scale: 1. / 255}}, shaped[2].stack...)...)
	if err != nil {
		return nil, err
	}
	m = m.WithName("digits")
	if err := m.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{}, Loss: losses.SparseCategoricalCrossentropy{}, Metrics: []metrics.Metric{metrics.Accuracy{}}}); err != nil {
		return nil, err
	}
	train, test, err := datasets.MNIST()
	if err != nil {
		return nil, err
	}
	if _, err := m.Fit(context.Background(), train, dl.FitConfig{Epochs: 1, BatchSize: 128}); err != nil {
		return nil, err
	}
	return &trained{m, test}, nil
})

type trained struct {
	model *dl.Model
	test  *data.Dataset
}

// sample are test images as numbers, and what Predict makes of them.
func (d *trained) sample(t *testing.T, n int) (x, y []float32, labels []int) {
	t.Helper()
	for b := range d.test.Take(n).Batch(n).Batches() {
		x = append(x, flat(t, b.X)...)
		labels = append(labels, ints(t, b.Labels[0])...)
	}
	out, err := d.model.PredictOnBatch(tensor.New(x, n, 28, 28, 1))
	if err != nil {
		t.Fatal(err)
	}
	return x, flat(t, out[0]), labels
}

// TestForms exports MNIST's network in each form, and compares each with Predict.
func TestForms(t *testing.T) {
	if testing.Short() {
		t.Skip("a network is trained, and four forms are built; make check")
	}
	d, err := digits()
	if err != nil {
		t.Fatal(err)
	}
	x, want, _ := d.sample(t, 7)
	for _, form := range Formats() {
		t.Run(string(form), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "digits")
			if err := Save(d.model, dir, Config{Format: form}); err != nil {
				t.Fatal(err)
			}
			if err := Save(d.model, dir, Config{Format: form}); err != nil {
				t.Errorf("once more: %v", err)
			}
			near(t, string(form), ways[form](t, dir, x), want)
		})
	}
}

// ways are how each form predicts.
var ways = map[Format]func(t *testing.T, dir string, x []float32) []float64{
	GoPackage: func(t *testing.T, dir string, x []float32) []float64 {
		write(t, filepath.Join(dir, "cmd", "main.go"), []byte("package main\n\nimport (\n\t\"fmt\"\n\n\t\"exported/digits\"\n)\n\nfunc main() {\n\ty, err := digits.Predict("+goList(x)+")\n\tfmt.Println(y, err)\n}\n"))
		return listed(t, output(t, dir, []string{"CGO_ENABLED=0"}, "go", "run", "./cmd"))
	},
	WebAssembly: func(t *testing.T, dir string, x []float32) []float64 {
		node, err := exec.LookPath("node")
		if err != nil {
			t.Skip("there is no node; TestPage tries the page in a browser")
		}
		t.Log("the module runs in", node)
		return inNode(t, node, dir, x)
	},
	CLibrary: func(t *testing.T, dir string, x []float32) []float64 {
		n := len(x) / 784
		write(t, filepath.Join(dir, "main.c"), fmt.Appendf(nil, `#include <stdio.h>
#include "digits.h"
static float x[] = {%s};
int main(void) {
	float y[%d];
	char why[200];
	if (digits_predict(%d, x, y) != 0) { digits_error(why, sizeof why); puts(why); return 1; }
	for (int i = 0; i < %[2]d; i++) printf("%%.9g ", y[i]);
	if (digits_predict(0, x, y) != -1) return 2;
	if (digits_error(why, sizeof why) < 2) return 3;
	if (digits_predict(1, NULL, y) != -1) return 4;
	return 0;
}
`, strings.Trim(goList(x), "[]float32{}"), 10*n, n))
		output(t, dir, nil, "cc", "-Wall", "-Wextra", "-Werror", "-std=c11", "-o", "try", "main.c", "-L.", "-ldigits", "-Wl,-rpath,"+dir)
		return listed(t, output(t, dir, nil, filepath.Join(dir, "try")))
	},
	Program: func(t *testing.T, dir string, x []float32) []float64 {
		var lines strings.Builder
		for i, v := range x {
			fmt.Fprintf(&lines, "%g", v)
			lines.WriteByte(",\n"[map[bool]int{true: 1}[(i+1)%784 == 0]])
		}
		path := filepath.Join(t.TempDir(), "digits.csv")
		write(t, path, []byte(lines.String()))
		return listed(t, output(t, dir, []string{"PJRT_PLUGIN_LIBRARY_PATH="}, filepath.Join(dir, "digits"), "-batch", "3", path))
	},
}

func goList(x []float32) string {
	var b strings.Builder
	b.WriteString("[]float32{")
	for i, v := range x {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%g", v)
	}
	return b.String() + "}"
}

// listed are the numbers of a text.
func listed(t *testing.T, text []byte) (all []float64) {
	t.Helper()
	for _, f := range strings.FieldsFunc(string(text), func(r rune) bool { return strings.ContainsRune("[], \n", r) }) {
		v, err := strconv.ParseFloat(f, 64)
		if f == "<nil>" {
			continue
		}
		if err != nil {
			t.Fatalf("expected numbers, got %.200s", text)
		}
		all = append(all, v)
	}
	return all
}

func output(t *testing.T, dir string, env []string, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(append(os.Environ(), "GOWORK=off", "GOFLAGS="), env...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %.200v: %v\n%.2000s%.2000s", name, args, err, out, said.String())
	}
	return out
}

// inNode runs a page's module without the page.
func inNode(t *testing.T, node, dir string, x []float32) []float64 {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	part := func(before string) string {
		_, rest, ok := strings.Cut(string(page), before)
		if !ok {
			t.Fatalf("the page lacks %s", before)
		}
		text, _, _ := strings.Cut(rest, "</script>")
		return text
	}
	list, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	script := part("<script>") + "\nglobalThis.ready = () => { console.log(predict(Float32Array.from(" + string(list) + "))[0].join(' ')); process.exit(0); };\n" +
		"const go = new Go();\nWebAssembly.instantiate(Buffer.from(\"" + part(`id="wasm">`) + "\", 'base64'), go.importObject).then(({instance}) => go.run(instance));\n"
	path := filepath.Join(dir, "try.js")
	write(t, path, []byte(script))
	return listed(t, output(t, dir, nil, node, path))
}

// TestInt8 wants a network whose weights are whole numbers of 8 bits to be a quarter of the
// size, and to tell as many digits within 0.3 %.
func TestInt8(t *testing.T) {
	if testing.Short() {
		t.Skip("a network is trained; make check")
	}
	d, err := digits()
	if err != nil {
		t.Fatal(err)
	}
	x, want, labels := d.sample(t, 10000)
	quantized, err := dl.Quantize(d.model, d.test.Take(200))
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*dl.Model{"int8": d.model, "quantized": quantized} {
		dir := filepath.Join(t.TempDir(), "digits")
		if err := Save(m, dir, Config{Int8: name == "int8"}); err != nil {
			t.Fatal(err)
		}
		if s, err := os.Stat(filepath.Join(dir, "digits.bin")); err != nil || s.Size() > 37000 {
			t.Errorf("%s: expected a file of a byte for each weight, got %v, %v", name, s.Size(), err)
		}
		raw, err := binary.Append(nil, binary.LittleEndian, x)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "images"), raw)
		write(t, filepath.Join(dir, "cmd", "main.go"), []byte(teller))
		got := listed(t, output(t, dir, []string{"CGO_ENABLED=0"}, "go", "run", "./cmd"))
		ours, theirs := 0, 0
		for i, l := range labels {
			if int(got[i]) == l {
				ours++
			}
			if largest(want[10*i:10*i+10]) == l {
				theirs++
			}
		}
		t.Logf("%s: %d of %d, of floats %d", name, ours, len(labels), theirs)
		if math.Abs(float64(ours-theirs)) > 30 || theirs < 9500 {
			t.Errorf("%s: expected what floats tell, %d of %d, within 0.3 %%, got %d", name, theirs, len(labels), ours)
		}
	}
}

const teller = `package main

import (
	"encoding/binary"
	"fmt"
	"os"

	"exported/digits"
)

func main() {
	raw, err := os.ReadFile("images")
	if err != nil {
		panic(err)
	}
	x := make([]float32, len(raw)/4)
	if _, err := binary.Decode(raw, binary.LittleEndian, x); err != nil {
		panic(err)
	}
	y, err := digits.Predict(x)
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(y); i += 10 {
		best := 0
		for k := range 10 {
			if y[i+k] > y[i+best] {
				best = k
			}
		}
		fmt.Println(best)
	}
}
`

func largest(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

func ints(t *testing.T, x *tensor.Tensor) []int {
	t.Helper()
	v, err := tensor.Flat[uint8](x)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]int, len(v))
	for i, n := range v {
		all[i] = int(n)
	}
	return all
}

// TestFile exports files, and says what it cannot.
func TestFile(t *testing.T) {
	m := built(t)["dense"]
	dir := t.TempDir()
	if err := onnx.Save(m, filepath.Join(dir, "m.onnx")); err != nil {
		t.Fatal(err)
	}
	if err := m.Save(filepath.Join(dir, "m.keras")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"m.onnx", "m.keras"} {
		out := filepath.Join(dir, "out", name[2:])
		if err := File(filepath.Join(dir, name), out, Config{Package: "m"}); err != nil {
			t.Fatal(err)
		}
		output(t, out, []string{"CGO_ENABLED=0"}, "go", "vet", ".")
	}
	full := filepath.Join(dir, "full")
	write(t, filepath.Join(full, "mine.txt"), nil)
	own := dl.Input(layers.Shape{3, 4})
	masked, err := dl.Functional([]*dl.Symbol{own}, []*dl.Symbol{own.Then(layers.Masking{}, layers.LSTM{Units: 2})})
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"other files":                        Save(m, full),
		"in lower case, got \"Main\"":        Save(m, filepath.Join(dir, "a"), Config{Package: "Main"}),
		"expected a format of [go wasm c pr": Save(m, filepath.Join(dir, "b"), Config{Format: "exe"}),
		"no such file":                       File(filepath.Join(dir, "no.keras"), filepath.Join(dir, "c")),
		"asking":                             Save(masked, filepath.Join(dir, "d")),
	} {
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("expected an error with %q, got %v", what, err)
		}
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was made, though nothing was exported", name)
		}
	}
}
