package onnx_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/kerastest"
	"github.com/gradbook/gradbook/dl/internal/onnxtest"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/onnx"
	_ "github.com/gradbook/gradbook/dl/ops" // whose operations are cases too
	"github.com/gradbook/gradbook/dl/optimizers"
)

// array is a tensor as testdata/run.py takes it.
type array struct {
	Shape  []int     `json:"shape"`
	Values []float64 `json:"values"`
}

func arrayOf(t testing.TB, x *tensors.Tensor) array {
	t.Helper()
	values, err := tensors.CopyFlatData[float32](x)
	if err != nil {
		t.Fatal(err)
	}
	a := array{Shape: x.Shape().Dimensions}
	for _, v := range values {
		a.Values = append(a.Values, float64(v))
	}
	return a
}

func (a array) tensor() *tensors.Tensor {
	values := make([]float32, len(a.Values))
	for i, v := range a.Values {
		values[i] = float32(v)
	}
	return tensors.FromFlatDataAndDimensions(values, a.Shape...)
}

// runtime is a folder of files for onnxruntime to run, all in one process.
type runtime struct {
	dir string
}

// add saves a model with inputs for it.
func (r runtime) add(t testing.TB, name string, m *dl.Model, in ...*tensors.Tensor) error {
	t.Helper()
	path := filepath.Join(r.dir, name+".onnx")
	if err := onnx.Save(m, path); err != nil {
		return err
	}
	var file struct {
		Inputs []array `json:"inputs"`
	}
	for _, x := range in {
		file.Inputs = append(file.Inputs, arrayOf(t, x))
	}
	text, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return os.WriteFile(filepath.Join(r.dir, name+".json"), text, 0o600)
}

func (r runtime) run(t testing.TB) {
	t.Helper()
	out, err := exec.Command(onnxtest.Python(t), filepath.Join("testdata", "run.py"), r.dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func (r runtime) outputs(name string) ([]array, error) {
	text, err := os.ReadFile(filepath.Join(r.dir, name+".out.json"))
	if err != nil {
		return nil, err
	}
	var file struct {
		Outputs []array
		Error   string
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	if file.Error != "" {
		return nil, fmt.Errorf("onnxruntime: %s", file.Error)
	}
	return file.Outputs, nil
}

// predict runs a model here.
func predict(t testing.TB, m *dl.Model, in ...*tensors.Tensor) []*tensors.Tensor {
	t.Helper()
	var parts []*data.Dataset
	for _, x := range in {
		ds, err := data.New(x, nil)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, ds)
	}
	out, err := m.PredictAll(t.Context(), data.Zip(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// refused are classes that have no counterpart in ONNX.
var refused = []string{"Masking", "CategoryEncoding", "Discretization", "Dot", "Resizing", "CenterCrop"}

// TestLayers writes every layer of the parity cases, with Keras's weights, and has
// onnxruntime run it: it computes what Keras computed, and so does the file read back.
func TestLayers(t *testing.T) {
	cases, _ := kerastest.Cases(t)
	r := runtime{t.TempDir()}
	var written []int
	inputs := make(map[int][]*tensors.Tensor)
	for i, c := range cases {
		get := c.Get
		if c.Kind != "layer" || c.Training || c.Scores || get("mask0") != nil || get("mask1") != nil || strings.Contains(c.Name, "mask") {
			continue
		}
		layer, err := config.Decode[layers.Layer](c.Object)
		if err != nil {
			t.Fatal(err)
		}
		if a, ok := layer.(layers.MultiHeadAttention); ok {
			a.UseCausalMask = c.Causal
			layer = a
		}
		var in []*dl.Symbol
		for k := 0; get(fmt.Sprintf("x%d", k)) != nil; k++ {
			x := get(fmt.Sprintf("x%d", k))
			inputs[i] = append(inputs[i], x)
			in = append(in, dl.Input(x.Shape().Dimensions[1:]))
		}
		placed := dl.NewLayer(layer)
		out, err := dl.ApplyAll(placed, in...)
		if err != nil {
			t.Fatal(err)
		}
		m, err := dl.Functional(in, out)
		if err != nil {
			t.Fatal(err)
		}
		var weights []*tensors.Tensor
		for k := 0; get(fmt.Sprintf("w%d", k)) != nil; k++ {
			weights = append(weights, get(fmt.Sprintf("w%d", k)))
		}
		if err := placed.SetWeights(weights); err != nil {
			t.Fatal(err)
		}
		if err := r.add(t, fmt.Sprintf("case%03d", i), m, inputs[i]...); err != nil {
			if !slices.Contains(refused, c.Object.Class) && !strings.Contains(err.Error(), "no counterpart") {
				t.Errorf("%s: %v", c.Name, err)
			}
			continue
		}
		written = append(written, i)
	}
	r.run(t)
	if len(written) < 250 {
		t.Errorf("expected at least 250 cases that ONNX has, got %d", len(written))
	}
	for _, i := range written {
		name := cases[i].Name
		outs, err := r.outputs(fmt.Sprintf("case%03d", i))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for k, y := range outs {
			kerastest.Close(t, name, y.tensor(), cases[i].Get(fmt.Sprintf("y%d", k)), 2e-5)
		}
	}
	t.Run("read back", func(t *testing.T) {
		every := 3
		if testing.Short() {
			every = 12
		}
		for n, i := range written {
			if n%every != 0 && (testing.Short() || !strings.Contains(cases[i].Name, "LSTM") && !strings.Contains(cases[i].Name, "Transpose")) {
				continue
			}
			m, err := onnx.Load(filepath.Join(r.dir, fmt.Sprintf("case%03d.onnx", i)))
			if err != nil {
				t.Errorf("%s: %v", cases[i].Name, err)
				continue
			}
			for k, y := range predict(t, m, inputs[i]...) {
				kerastest.Close(t, cases[i].Name, y, cases[i].Get(fmt.Sprintf("y%d", k)), 2e-5)
			}
		}
	})
}

// TestModels writes models that Keras saved.
func TestModels(t *testing.T) {
	fixture := kerastest.Load(t, "keras.npz")
	r := runtime{t.TempDir()}
	names := []string{"document", "skip", "nested", "table"}
	for _, name := range names {
		m, err := dl.Load(filepath.Join("..", "testdata", name+".keras"))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.add(t, name, m, fixture.Get(t, name+".x")); err != nil {
			t.Fatal(err)
		}
	}
	r.run(t)
	for _, name := range names {
		outs, err := r.outputs(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		m, err := onnx.Load(filepath.Join(r.dir, name+".onnx"))
		if err != nil {
			t.Fatal(err)
		}
		back := predict(t, m, fixture.Get(t, name+".x"))
		for k, y := range outs {
			want := fixture.Get(t, fmt.Sprintf("%s.y%d", name, k))
			kerastest.Close(t, name+" in onnxruntime", y.tensor(), want, 2e-5)
			kerastest.Close(t, name+" read back", back[k], want, 2e-5)
		}
	}
	masked, err := dl.Load(filepath.Join("..", "testdata", "lstm.keras"))
	if err != nil {
		t.Fatal(err)
	}
	if err := onnx.Save(masked, filepath.Join(r.dir, "masked.onnx")); err == nil || !strings.Contains(err.Error(), "mask") {
		t.Errorf("expected an error that says mask, got %v", err)
	}
}

// TestTrain trains a model that was read from ONNX.
func TestTrain(t *testing.T) {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 8, Activation: activations.Tanh}, layers.Dense{Units: 2})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "xor.onnx")
	if err := onnx.Save(m, path); err != nil {
		t.Fatal(err)
	}
	if m, err = onnx.Load(path); err != nil {
		t.Fatal(err)
	}
	err = m.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{LearningRate: 0.05}, Loss: losses.SparseCategoricalCrossentropy{Logits: true}})
	if err != nil {
		t.Fatal(err)
	}
	ds, err := data.FromSlices([][]float32{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, []int32{0, 1, 1, 0})
	if err != nil {
		t.Fatal(err)
	}
	h, err := m.Fit(t.Context(), ds, dl.FitConfig{Epochs: 200, Silent: true})
	if err != nil {
		t.Fatal(err)
	}
	if loss := h.Last()["loss"]; loss > 0.1 {
		t.Errorf("expected it to learn, got a loss of %v", loss)
	}
}

// TestForeignFiles: what is no ONNX file is an error, and no panic.
func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 3})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "model.onnx")
	if err := onnx.Save(m, path); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(whole); n += 3 {
		cut := filepath.Join(dir, "cut.onnx")
		if err := os.WriteFile(cut, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := onnx.Load(cut); err == nil {
			t.Errorf("cut off after %d of %d bytes: expected an error, got none", n, len(whole))
		}
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(whole), "MatMul", "MadMul")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := onnx.Load(path); err == nil || !strings.Contains(err.Error(), "MadMul") {
		t.Errorf("an unknown operator: expected an error that names it, got %v", err)
	}
}
