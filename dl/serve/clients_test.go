package serve_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/pip"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/serve"
	"github.com/gradbook/gradbook/dl/serve/xla"
	"github.com/gradbook/gradbook/dl/tensor"
)

// digits is a network like the document's, as a file.
func digits(t testing.TB, dir string, seed uint64) (path string, m *dl.Model) {
	t.Helper()
	dl.SetRandomSeed(seed)
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{28, 28, 1}},
		layers.Conv2D{Filters: 32, KernelSize: [2]int{3, 3}, Activation: activations.ReLU}, layers.MaxPooling2D{},
		layers.Conv2D{Filters: 64, KernelSize: [2]int{3, 3}, Activation: activations.ReLU}, layers.MaxPooling2D{},
		layers.Flatten{}, layers.Dense{Units: 10, Activation: activations.Softmax, Name: "dense"})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "digits.keras")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	return path, m
}

// images are examples for it.
func images(n int) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, n*784)
	for i := range x {
		x[i] = r.Float32()
	}
	return x
}

func predicted(t testing.TB, m *dl.Model, x []float32) []float32 {
	t.Helper()
	out, err := m.PredictOnBatch(tensor.New(x, len(x)/784, 28, 28, 1))
	if err != nil {
		t.Fatal(err)
	}
	y, err := tensor.Flat[float32](out[0])
	if err != nil {
		t.Fatal(err)
	}
	return y
}

// window is how many bytes the GPT of the tests sees.
const window = 64

// gpt is a small GPT that is trained on Go's own source, byte by byte.
func gpt(t testing.TB, dir string) string {
	t.Helper()
	dl.SetRandomSeed(3)
	x := dl.Input(layers.Shape{window})
	h := x.Then(layers.Embedding{InputDim: 256, OutputDim: 48})
	for range 2 {
		n := h.Then(layers.LayerNormalization{})
		h = dl.Apply(layers.Add{}, h, dl.Apply(layers.MultiHeadAttention{NumHeads: 4, KeyDim: 12, UseCausalMask: true}, n, n))
		h = dl.Apply(layers.Add{}, h, h.Then(layers.LayerNormalization{}, layers.Dense{Units: 96, Activation: activations.GELU}, layers.Dense{Units: 48}))
	}
	m, err := dl.Functional([]*dl.Symbol{x}, []*dl.Symbol{h.Then(layers.Dense{Units: 256})})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{LearningRate: 3e-3}, Loss: losses.SparseCategoricalCrossentropy{Logits: true}}); err != nil {
		t.Fatal(err)
	}
	ds := source(t, 4096)
	h1, err := m.Fit(context.Background(), ds, dl.FitConfig{Epochs: 2, BatchSize: 32, Silent: true})
	if err != nil {
		t.Fatal(err)
	}
	if l := h1.Last()["loss"]; l > 3 {
		t.Fatalf("expected the GPT to learn something of Go, got a loss of %.2f", l)
	}
	path := filepath.Join(dir, "gpt.keras")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "gpt.tokens"), []byte("bytes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// source are pieces of Go's source, and the byte that follows each.
func source(t testing.TB, n int) *data.Dataset {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	var text []byte
	err = filepath.WalkDir(filepath.Join(strings.TrimSpace(string(root)), "src", "sort"), func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") {
			b, readErr := os.ReadFile(path)
			text, err = append(text, b...), readErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	var x, y []float32
	for range n {
		at := r.IntN(len(text) - window - 1)
		for i := range window {
			x, y = append(x, float32(text[at+i])), append(y, float32(text[at+i+1]))
		}
	}
	ds, err := data.New(tensor.New(x, n, window), tensor.New(y, n, window))
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// start serves until the test ends, and returns the addresses of HTTP and gRPC.
func start(t testing.TB, c serve.Config) (*serve.Server, string, string) {
	t.Helper()
	c.Address, c.GRPC = "127.0.0.1:0", "127.0.0.1:0"
	if c.Load == nil {
		c.Load = xla.Load
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s, err := serve.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("drain: %v", err)
		}
	})
	return s, s.Addr().String(), s.GRPCAddr().String()
}

// TestClients has the clients of others talk to the service: NVIDIA's for the protocol, and
// OpenAI's for a GPT that is trained on Go's source.
func TestClients(t *testing.T) {
	if testing.Short() {
		t.Skip("clients are installed, and a GPT is trained; make check")
	}
	packages, err := pip.Install("clients", filepath.Join("testdata", "requirements.txt"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path, m := digits(t, dir, 1)
	x := images(100)
	writeNumpy(t, filepath.Join(dir, "images.npy"), x, 100, 28, 28, 1)
	writeNumpy(t, filepath.Join(dir, "wanted.npy"), predicted(t, m, x), 100, 10)
	_, http, grpc := start(t, serve.Config{Models: []string{path, gpt(t, dir)}, Tokens: []string{"other", "secret"}, MaxBody: 2 << 20})
	script, err := filepath.Abs(filepath.Join("testdata", "clients.py"))
	if err != nil {
		t.Fatal(err)
	}
	root, err := pip.Root()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, pip.Python(root), "-W", "ignore", script, http, grpc, "secret")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PYTHONPATH="+packages, "PYTHONDONTWRITEBYTECODE=1", "NO_PROXY=*")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !bytes.Contains(out, []byte("OK")) {
		t.Errorf("%s", out)
	}
	t.Logf("%s", out)
}

// writeNumpy writes a file of NumPy's.
//
// Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
func writeNumpy(t *testing.T, path string, x []float32, shape ...int) {
	t.Helper()
	text := strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]")
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s,), }", text)
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	b, err := binary.Append(append(b, header...), binary.LittleEndian, x)
	if err := errors.Join(err, os.WriteFile(path, b, 0o600)); err != nil {
		t.Fatal(err)
	}
}
