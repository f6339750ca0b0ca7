package onnx_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/onnx"
	"github.com/gradbook/gradbook/dl/onnx/internal/proto"
	"github.com/gradbook/gradbook/dl/onnx/internal/translate"
	"github.com/gradbook/gradbook/dl/tensor"
)

var update = flag.Bool("update", false, "write the figures of ONNX's backend tests into docs/onnx.md")

// packages is a folder of Python packages: ONNX's tests, and files that people use.
var packages = sync.OnceValues(func() (string, error) {
	dir, err := filepath.Abs(filepath.Join("..", "..", ".gradbook", "onnx"))
	if err != nil {
		return "", err
	}
	wanted, err := os.ReadFile(filepath.Join("testdata", "requirements.txt"))
	if err != nil {
		return "", err
	}
	stamp := filepath.Join(dir, "requirements.txt")
	if have, err := os.ReadFile(stamp); err == nil && slices.Equal(have, wanted) {
		return dir, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	cmd := exec.Command(filepath.Join(filepath.Dir(dir), "venv", "bin", "python"), "-m", "pip", "install", "--quiet",
		"--require-hashes", "--no-deps", "--only-binary", ":all:", "--target", dir, "-r", filepath.Join("testdata", "requirements.txt"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("installing the packages of testdata/requirements.txt: %w\n%s", err, out)
	}
	return dir, os.WriteFile(stamp, wanted, 0o600)
})

// suiteCase is a case that testdata/suite.py wrote.
type suiteCase struct {
	Kinds      []string
	Rtol, Atol float64
	Fed        bool
	Ops        []string
	Opset      int

	dir string
}

func (c suiteCase) name() string {
	return filepath.Base(filepath.Dir(c.dir)) + "/" + filepath.Base(c.dir)
}

// suite writes the cases of a kind and reads what they are.
func suite(t *testing.T, kind string) []suiteCase {
	t.Helper()
	interpreter := python(t)
	path, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(interpreter, "-W", "ignore", filepath.Join("testdata", "suite.py"), kind, dir)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+path, "PYTHONDONTWRITEBYTECODE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("suite.py %s: %v\n%s", kind, err, out)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*", "case.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("suite.py %s wrote no cases: %v", kind, err)
	}
	sort.Strings(paths)
	var all []suiteCase
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		c := suiteCase{dir: filepath.Dir(p)}
		if err := json.Unmarshal(b, &c); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// read reads a tensor of a case.
func (c suiteCase) read(name string) (*tensor.Tensor, error) {
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		return nil, err
	}
	p, err := proto.ReadTensor(b)
	if err != nil {
		return nil, err
	}
	if translate.DType(p.Kind) == 0 {
		return nil, fmt.Errorf("numbers of %s", proto.KindNames[p.Kind])
	}
	return translate.Tensor(p), nil
}

// The ways in which a case can end.
const (
	passes  = "passes"
	refuses = "refuses"
	wrong   = "wrong"
	panics  = "panics"
)

func (c suiteCase) run() (way, why string) {
	defer func() {
		if r := recover(); r != nil {
			way, why = panics, fmt.Sprintf("%v\n%s", r, debug.Stack())
		}
	}()
	s, err := onnx.Open(filepath.Join(c.dir, "model.onnx"))
	if err != nil {
		var f *dl.FormatError
		if !errors.As(err, &f) {
			return wrong, "expected a *dl.FormatError, got " + err.Error()
		}
		return refuses, err.Error()
	}
	in := make(map[string]*tensor.Tensor)
	for i, v := range s.Inputs() {
		if in[v.Name], err = c.read(fmt.Sprintf("in_%d.pb", i)); err != nil {
			return refuses, err.Error()
		}
	}
	out, err := s.Run(in)
	if err != nil {
		return refuses, err.Error()
	}
	for i, v := range s.Outputs() {
		want, err := c.read(fmt.Sprintf("out_%d.pb", i))
		if err != nil {
			return refuses, err.Error()
		}
		if d := c.differs(out[v.Name], want); d != "" {
			return wrong, v.Name + ": " + d
		}
	}
	return passes, ""
}

// lastPlace is what one place less means for a number of about 1.
var lastPlace = map[tensor.DType]float64{dtypes.Float16: 1.0 / (1 << 10), dtypes.BFloat16: 1.0 / (1 << 7), dtypes.Float32: 1.0 / (1 << 23)}

// differs says how two tensors differ, "" if they do not: by more than the case allows, and
// by more than the last place of the largest number, which depends on the order of sums.
func (c suiteCase) differs(got, want *tensors.Tensor) string {
	if !got.Shape().Equal(want.Shape()) {
		return fmt.Sprintf("got %s, want %s", got.Shape(), want.Shape())
	}
	a, b := translate.Reals(got), translate.Reals(want)
	largest := 0.0
	for _, v := range b {
		if !math.IsInf(v, 0) {
			largest = max(largest, math.Abs(v))
		}
	}
	atol := max(c.Atol, lastPlace[got.DType()]*largest)
	for i := range a {
		switch {
		case a[i] == b[i], math.IsNaN(a[i]) && math.IsNaN(b[i]):
		case !(math.Abs(a[i]-b[i]) <= atol+c.Rtol*math.Abs(b[i])):
			return fmt.Sprintf("number %d of %d: got %v, want %v", i, len(a), a[i], b[i])
		}
	}
	return ""
}

// numeric says whether a case has floats, integers and booleans alone.
func (c suiteCase) numeric() bool {
	for _, k := range c.Kinds {
		switch k {
		case "FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "BOOL":
		default:
			return false
		}
	}
	return c.Fed
}

// unhonoured are the operators that cases of numbers have and that are not honoured, with why.
var unhonoured = map[string]string{
	"Bernoulli": "random numbers", "RandomUniformLike": "random numbers", "Dropout": "random numbers, in training mode",
	"ImageDecoder": "files of images in a tensor", "Gradient": "asks for a gradient by names",
	"ArrayFeatureExtractor": "of ai.onnx.ml", "Binarizer": "of ai.onnx.ml", "TreeEnsemble": "of ai.onnx.ml",
}

// TestBackend runs ONNX's own tests: every case of numbers passes, but for those whose
// operators are refused, by name. With -short, each tenth.
//
// Source: https://github.com/onnx/onnx/blob/main/docs/OnnxBackendTest.md
func TestBackend(t *testing.T) {
	count := make(map[string]int)
	for i, c := range suite(t, "backend") {
		if testing.Short() && i%10 != 0 {
			continue
		}
		way, why := c.run()
		if !c.numeric() {
			count["other "+way]++
			if way == wrong || way == panics {
				t.Errorf("%s: %s: %s", c.name(), way, why)
			}
			continue
		}
		count[way]++
		known := way == refuses && slices.ContainsFunc(c.Ops, func(op string) bool { return unhonoured[op] != "" })
		if way != passes && !known {
			t.Errorf("%s: %s: %s", c.name(), way, why)
		}
	}
	t.Log(count)
	if testing.Short() {
		return
	}
	text := figures(count)
	path := filepath.Join("..", "..", "docs", "onnx.md")
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(have), "<!-- figures -->\n")
	_, after, ok2 := strings.Cut(rest, "<!-- /figures -->\n")
	if !ok || !ok2 {
		t.Fatalf("%s: expected a place for figures", path)
	}
	whole := before + "<!-- figures -->\n" + text + "<!-- /figures -->\n" + after
	if *update {
		if err := os.WriteFile(path, []byte(whole), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if whole != string(have) {
		t.Errorf("%s is not what the tests say; go test ./dl/onnx -run TestBackend -update writes it:\n%s", path, text)
	}
}

func figures(count map[string]int) string {
	var b strings.Builder
	all, other := 0, 0
	for way, n := range count {
		if strings.HasPrefix(way, "other ") {
			other += n
		} else {
			all += n
		}
	}
	fmt.Fprintf(&b, "| cases of ONNX 1.23's backend tests | all | pass | refused | wrong | panic |\n|---|---|---|---|---|---|\n")
	fmt.Fprintf(&b, "| floats, integers and booleans | %d | %d | %d | %d | %d |\n", all, count[passes], count[refuses], count[wrong], count[panics])
	fmt.Fprintf(&b, "| strings, sequences, optional values, numbers of fewer than 8 bits and floats of 8 | %d | %d | %d | %d | %d |\n\n", other, count["other "+passes], count["other "+refuses], count["other "+wrong], count["other "+panics])
	fmt.Fprintf(&b, "What is refused of the first line:\n\n")
	reasons := make(map[string][]string)
	for op, why := range unhonoured {
		reasons[why] = append(reasons[why], op)
	}
	var lines []string
	for why, list := range reasons {
		sort.Strings(list)
		lines = append(lines, fmt.Sprintf("- %s: %s\n", strings.Join(list, ", "), why))
	}
	sort.Strings(lines)
	fmt.Fprintf(&b, "%s\nThe operators that are honoured: %s.\n", strings.Join(lines, ""), strings.Join(translate.Operators(), ", "))
	return b.String()
}

// TestOperators compares models of one operator each with onnxruntime. With -short, each
// fourth.
func TestOperators(t *testing.T) {
	for i, c := range suite(t, "operators") {
		if testing.Short() && i%4 != 0 {
			continue
		}
		if way, why := c.run(); way != passes {
			t.Errorf("%s: %s: %s", c.name(), way, why)
		}
	}
}

// TestFiles compares files that people use with onnxruntime, as they are: ONNX's light zoo,
// and the models of magika, rapidocr-onnxruntime and silero-vad.
func TestFiles(t *testing.T) {
	cases := suite(t, "files")
	if len(cases) != 19 {
		t.Errorf("expected 19 files, got %d", len(cases))
	}
	for _, c := range cases {
		if testing.Short() && !strings.Contains(c.name(), "silero") && !strings.Contains(c.name(), "standard") {
			continue
		}
		if way, why := c.run(); way != passes {
			t.Errorf("%s: %s: %s", c.name(), way, why)
		}
	}
}
