package onnx_test

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/internal/onnxtest"
	"github.com/gradbook/gradbook/dl/internal/proto"
	"github.com/gradbook/gradbook/dl/onnx"
	"github.com/gradbook/gradbook/dl/onnx/internal/translate"
	"github.com/gradbook/gradbook/dl/tensor"
)

var update = flag.Bool("update", false, "write the figures of ONNX's backend tests into docs/onnx.md")

// suiteCase is a case of a suite.
type suiteCase struct{ onnxtest.Case }

func suite(t *testing.T, kind string) []suiteCase {
	t.Helper()
	var all []suiteCase
	for _, c := range onnxtest.Suite(t, kind) {
		all = append(all, suiteCase{c})
	}
	return all
}

// read reads a tensor of a case.
func (c suiteCase) read(name string) (*tensor.Tensor, error) {
	p, err := c.Tensor(name)
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
	s, err := onnx.Open(filepath.Join(c.Dir, "model.onnx"))
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
		if !c.Numeric() {
			count["other "+way]++
			if way == wrong || way == panics {
				t.Errorf("%s: %s: %s", c.Name(), way, why)
			}
			continue
		}
		count[way]++
		known := way == refuses && slices.ContainsFunc(c.Ops, func(op string) bool { return unhonoured[op] != "" })
		if way != passes && !known {
			t.Errorf("%s: %s: %s", c.Name(), way, why)
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
			t.Errorf("%s: %s: %s", c.Name(), way, why)
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
		if testing.Short() && !strings.Contains(c.Name(), "silero") && !strings.Contains(c.Name(), "standard") {
			continue
		}
		if way, why := c.run(); way != passes {
			t.Errorf("%s: %s: %s", c.Name(), way, why)
		}
	}
}
