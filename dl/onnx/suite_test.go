package onnx_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"sort"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/onnx"
	"github.com/gradbook/gradbook/dl/onnx/internal/proto"
	"github.com/gradbook/gradbook/dl/onnx/internal/translate"
	"github.com/gradbook/gradbook/dl/tensor"
)

// suiteCase is one of ONNX's own backend tests, as testdata/suite.py writes them.
type suiteCase struct {
	Kinds           []string
	Rtol, Atol      float64
	Fed             bool
	Inputs, Outputs int
	Ops             []string
	Opset           int

	dir string
}

func (c suiteCase) name() string { return filepath.Base(filepath.Dir(c.dir)) + "/" + filepath.Base(c.dir) }

func suiteTensor(path string) (*tensor.Tensor, string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, "", err
	}
	p, err := proto.ReadTensor(b)
	if err != nil {
		return nil, "", err
	}
	if translate.DType(p.Kind) == 0 {
		return nil, "", fmt.Errorf("tensors of %s", proto.KindNames[p.Kind])
	}
	return translate.Tensor(p), p.Name, nil
}

// outcome is how a case went: "" if it is right, or what is wrong with it.
type outcome struct {
	kind string // pass, refused, wrong, panic
	why  string
}

func (c suiteCase) run() (o outcome) {
	defer func() {
		if r := recover(); r != nil {
			o = outcome{"panic", fmt.Sprintf("%v\n%s", r, debug.Stack())}
		}
	}()
	s, err := onnx.Open(filepath.Join(c.dir, "model.onnx"))
	if err != nil {
		var f *dl.FormatError
		if !errors.As(err, &f) {
			return outcome{"wrong", "not a FormatError: " + err.Error()}
		}
		return outcome{"refused", err.Error()}
	}
	in := make(map[string]*tensor.Tensor)
	for i, v := range s.Inputs() {
		t, _, err := suiteTensor(filepath.Join(c.dir, fmt.Sprintf("in_%d.pb", i)))
		if err != nil {
			return outcome{"refused", err.Error()}
		}
		in[v.Name] = t
	}
	out, err := s.Run(in)
	if err != nil {
		return outcome{"refused", err.Error()}
	}
	for i, v := range s.Outputs() {
		want, _, err := suiteTensor(filepath.Join(c.dir, fmt.Sprintf("out_%d.pb", i)))
		if err != nil {
			return outcome{"refused", err.Error()}
		}
		if why := differs(out[v.Name], want, c.Rtol, c.Atol); why != "" {
			return outcome{"wrong", v.Name + ": " + why}
		}
	}
	return outcome{kind: "pass"}
}

// differs says how, "" if not.
func differs(got, want *tensors.Tensor, rtol, atol float64) string {
	if !got.Shape().Equal(want.Shape()) {
		return fmt.Sprintf("got %s, want %s", got.Shape(), want.Shape())
	}
	a, b := translate.Reals(got), translate.Reals(want)
	// What is computed in fewer steps, or in another order, may differ by the last place of
	// the largest number.
	if eps, ok := lastPlace[got.DType()]; ok {
		largest := 0.0
		for _, v := range b {
			if !math.IsInf(v, 0) {
				largest = max(largest, math.Abs(v))
			}
		}
		atol = max(atol, eps*largest)
	}
	for i := range a {
		switch {
		case a[i] == b[i], math.IsNaN(a[i]) && math.IsNaN(b[i]):
		case !(math.Abs(a[i]-b[i]) <= atol+rtol*math.Abs(b[i])):
			return fmt.Sprintf("number %d of %d: got %v, want %v", i, len(a), a[i], b[i])
		}
	}
	return ""
}

var lastPlace = map[tensor.DType]float64{dtypes.Float16: 1.0 / (1 << 10), dtypes.BFloat16: 1.0 / (1 << 7), dtypes.Float32: 1.0 / (1 << 23)}

func suiteCases(t *testing.T, dir string) []suiteCase {
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*", "case.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	sort.Strings(paths)
	var all []suiteCase
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		var c suiteCase
		if err := json.Unmarshal(b, &c); err != nil {
			t.Fatal(err)
		}
		c.dir = filepath.Dir(p)
		all = append(all, c)
	}
	return all
}

func TestSuite(t *testing.T) {
	dir := os.Getenv("ONNX_SUITE")
	if dir == "" {
		t.Skip()
	}
	only := os.Getenv("ONNX_ONLY")
	count := make(map[string]int)
	var report []string
	for _, c := range suiteCases(t, dir) {
		if only != "" && !strings.Contains(c.name(), only) {
			continue
		}
		plain := c.Fed
		for _, k := range c.Kinds {
			switch k {
			case "FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "BOOL":
			default:
				plain = false
			}
		}
		if !plain {
			count["other"]++
			continue
		}
		o := c.run()
		count[o.kind]++
		if o.kind != "pass" {
			why := o.why
			if o.kind != "panic" || only == "" {
				why, _, _ = strings.Cut(why, "\n")
			}
			if i := strings.Index(why, ".onnx: "); i > 0 {
				why = why[i+7:]
			}
			report = append(report, fmt.Sprintf("%s %s %s", o.kind, c.name(), why))
		}
	}
	sort.Strings(report)
	_ = os.WriteFile("/tmp/suite.txt", []byte(strings.Join(report, "\n")+"\n"), 0o644)
	t.Log(count)
}
