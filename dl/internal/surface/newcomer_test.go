package surface

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// newcomers are things that are added, each as a file with its example: nothing else names them.
var newcomers = map[string]string{
	"dl/layers/zz_negate.go": `package layers

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() { config.Register(Negate{}) } // Save and Load know it

// Negate is −x, times a factor.
type Negate struct {
	Factor float64
	Name   string
}

// Build implements Layer.
func (l Negate) Build(in Shape) (Spec, error) { return Spec{Output: in, KeepsMask: true}, nil }

// Call implements Layer.
func (l Negate) Call(_ *Context, x *tensor.Node) *tensor.Node {
	return graph.MulScalar(x, -orFloat(l.Factor, 1))
}

// ONNX implements build.Layer.
func (l Negate) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return []string{g.Op("Mul", []string{c.In[0], g.Scalar(-orFloat(l.Factor, 1))})}, nil
}
`,
	"dl/layers/zz_negate_test.go": `package layers_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/onnx"
	"github.com/gradbook/gradbook/dl/tensor"
)

func ExampleNegate() {
	output(layers.Negate{Factor: 2}, [][]float32{{1, -2}})
	// Output: [[-2 4]]
}

// It is named, saved, loaded, and written as ONNX by what its own file says.
func TestNegate(t *testing.T) {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Negate{Factor: 2})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := dl.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	written := filepath.Join(t.TempDir(), "m.onnx")
	if err := onnx.Save(again, written); err != nil {
		t.Fatal(err)
	}
	read, err := onnx.Load(written)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*dl.Model{again, read} {
		y, err := m.PredictOnBatch(tensor.Of([][]float32{{1, -2}}))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(y[0].Value()); got != "[[-2 4]]" {
			t.Error(got)
		}
	}
	if name := again.Layers()[0].Name(); name != "negate" {
		t.Error(name)
	}
}
`,
	"dl/losses/zz_quartic.go": `package losses

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() { config.Register(Quartic{}) }

// Quartic is (y − p)⁴, averaged over the last axis.
type Quartic struct{ Base } // Base wants labels of the output's shape

// Name implements Loss.
func (Quartic) Name() string { return "quartic" }

// Compute implements Loss.
func (Quartic) Compute(labels, output *tensor.Node) *tensor.Node {
	return graph.ReduceMean(graph.Square(graph.Square(graph.Sub(labels, output))), -1)
}
`,
	"dl/losses/zz_quartic_test.go": `package losses_test

import "github.com/gradbook/gradbook/dl/losses"

func ExampleQuartic() {
	lossOf(losses.Quartic{}, [][]float32{{1, 2}}, [][]float32{{3, 2}})
	// Output: quartic 8.0000
}
`,
	"dl/metrics/zz_exact.go": `package metrics

import (
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() { config.Register(Exact{}) }

// Exact is the part of the numbers that are the labels'.
type Exact struct{ Base }

// Name implements Metric.
func (Exact) Name() string { return "exact" }

// Compute implements Metric.
func (Exact) Compute(labels, output *tensor.Node) *tensor.Node { return same(labels, output, output) }
`,
	"dl/metrics/zz_exact_test.go": `package metrics_test

import "github.com/gradbook/gradbook/dl/metrics"

func ExampleExact() {
	measure(metrics.Exact{}, [][]float32{{1, 2}}, [][]float32{{1, 3}})
	// Output: exact 0.5000
}
`,
	"viz/zz_tally.go": `package viz

import "fmt"

// Tally is a bar for each name, as long as its count.
func Tally(names []string, counts []int) (*Chart, error) {
	if len(names) != len(counts) {
		return nil, fmt.Errorf("viz: Tally: expected as many counts as names, %d, got %d", len(names), len(counts))
	}
	bars := make(array, len(counts))
	for i, n := range counts {
		bars[i] = n
	}
	return newChart(object{
		"tooltip": tooltip("axis"),
		"xAxis":   categories("", names, 0, nil),
		"yAxis":   object{"type": "value"},
		"series":  array{object{"type": "bar", "name": "count", "data": bars}},
	}, fmt.Sprintf("counts of %d names", len(names)))
}
`,
	"viz/zz_tally_test.go": `package viz_test

import (
	"strings"
	"testing"

	"github.com/gradbook/gradbook/viz"
)

func ExampleTally() {
	show(viz.Tally([]string{"cats", "dogs"}, []int{3, 4}))
	// Output: counts of 2 names
}

func TestTally(t *testing.T) {
	c, err := viz.Tally([]string{"cats", "dogs"}, []int{3, 4})
	if err != nil {
		t.Fatal(err)
	}
	svg, err := c.SVG()
	if err != nil || !strings.Contains(svg, "cats") {
		t.Fatal(svg, err)
	}
}
`,
	"datasets/zz_parity.go": `package datasets

import "github.com/gradbook/gradbook/dl/data"

// ExclusiveOr returns the four pairs of bits, inputs float32 [2], and labels, 1 if the bits
// differ.
func ExclusiveOr() (*data.Dataset, error) {
	return data.FromSlices([][]float32{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, []int32{0, 1, 1, 0})
}
`,
	"datasets/zz_parity_test.go": `package datasets_test

import (
	"fmt"

	"github.com/gradbook/gradbook/datasets"
)

func ExampleExclusiveOr() {
	d, err := datasets.ExclusiveOr()
	if err != nil {
		panic(err)
	}
	fmt.Println(d.Len(), d.InputShape())
	// Output: 4 [2]
}
`,
	"kernel/dialect/zz_shout.go": `package dialect

import (
	"errors"
	"strings"
)

func init() {
	add(Command{Name: "%shout", Topic: "show", Args: "WORD…", Help: "print words in capitals", Run: shout})
}

func shout(h Host, s Segment) error {
	if s.Args == "" {
		return errors.New("expected words to print")
	}
	h.Print(strings.ToUpper(s.Args) + "\n")
	return nil
}
`,
	"kernel/dialect/zz_shout_test.go": `package dialect

import (
	"slices"
	"strings"
	"testing"
)

func TestShout(t *testing.T) {
	var r recorder
	if err := run(&r, "%shout hello\n%help\n%help show"); err != nil || !strings.HasPrefix(r.out.String(), "HELLO\n") {
		t.Fatal(r.out.String(), err)
	}
	for _, want := range []string{"  %shout\n", "print words in capitals"} {
		if !strings.Contains(r.out.String(), want) {
			t.Errorf("expected %q in %%help:\n%s", want, r.out.String())
		}
	}
	if err := run(&r, "%shout"); err == nil || err.Error() != "%shout: expected words to print" {
		t.Error(err)
	}
	if !slices.IsSortedFunc(Commands(), func(a, b Command) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("expected the table to be sorted")
	}
}
`,
}

// TestGuide: what CONTRIBUTING shows is what is added here.
func TestGuide(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	plain := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	blocks := strings.Split(string(text), "```go\n")[1:]
	if len(blocks) < 5 {
		t.Fatalf("expected what CONTRIBUTING shows of five kinds, got %d", len(blocks))
	}
	for _, b := range blocks {
		code, _, _ := strings.Cut(b, "```")
		found := false
		for _, added := range newcomers {
			found = found || holds(plain(added), strings.Split(code, "\n\n"), plain)
		}
		if !found {
			t.Errorf("nothing that is added has\n%s", code)
		}
	}
}

// holds says whether text has all the parts.
func holds(text string, parts []string, plain func(string) string) bool {
	for _, p := range parts {
		if !strings.Contains(text, plain(p)) {
			return false
		}
	}
	return true
}

// TestNewcomers adds one of each to a copy of the module, and runs what it brings.
func TestNewcomers(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles dl anew: make check")
	}
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		copyFile(t, filepath.Join(root, name), filepath.Join(dir, name))
	}
	for _, folder := range []string{"dl", "viz", "datasets", "kernel"} {
		if err := os.CopyFS(filepath.Join(dir, folder), os.DirFS(filepath.Join(root, folder))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "docs"), 0o755); err != nil {
		t.Fatal(err)
	}
	copyFile(t, overview, filepath.Join(dir, "docs", "dl.md"))
	packages := make(map[string]bool)
	for name, text := range newcomers {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		packages["./"+filepath.Dir(name)] = true
	}
	args := []string{"-count=1", "-run", "Negate|Quartic|Exact|Tally|ExclusiveOr|Shout", "-v"}
	for p := range packages {
		args = append(args, p)
	}
	out := goTest(t, dir, args...)
	for _, want := range []string{"ExampleNegate", "TestNegate", "ExampleQuartic", "ExampleExact", "ExampleTally", "TestTally", "ExampleExclusiveOr", "TestShout"} {
		if !strings.Contains(out, "PASS: "+want) {
			t.Errorf("expected %s to pass in\n%s", want, out)
		}
	}
	goTest(t, dir, "-count=1", "-run", "TestNames", "./dl/internal/surface", "-args", "-update")
	list, err := os.ReadFile(filepath.Join(dir, "docs", "dl.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Negate", "Quartic", "Exact", "ExclusiveOr"} {
		if !strings.Contains(string(list), want) {
			t.Errorf("expected %s in docs/dl.md", want)
		}
	}
}

// goTest runs tests of the module in dir, which must pass, and returns what they print.
func goTest(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"test"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
