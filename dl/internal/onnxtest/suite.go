// Package onnxtest has what nobody here wrote to test ONNX with: ONNX's own backend tests,
// models of one operator each as onnxruntime computes them, and files that people use.
package onnxtest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/gradbook/gradbook/dl/internal/pip"
	"github.com/gradbook/gradbook/dl/internal/proto"
)

// Python is the interpreter that setup made; a test without one that onnxruntime works with
// is skipped.
func Python(t testing.TB) string {
	t.Helper()
	root, err := pip.Root()
	if err != nil {
		t.Fatal(err)
	}
	path := pip.Python(root)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no Python environment: run make setup first (%v)", err)
	}
	if out, err := exec.Command(path, "-c", "import sys; print(sys.version_info >= (3, 11))").Output(); err != nil || strings.TrimSpace(string(out)) != "True" {
		t.Skip("onnxruntime needs Python 3.11")
	}
	return path
}

// Packages is a folder of Python packages: ONNX's tests, onnxruntime, and files that people
// use.
var Packages = sync.OnceValues(func() (string, error) {
	root, err := pip.Root()
	if err != nil {
		return "", err
	}
	return pip.Install("onnx", filepath.Join(root, "dl", "onnx", "testdata", "requirements.txt"))
})

// Case is a case that suite.py wrote.
type Case struct {
	// Kinds are the types of its inputs and outputs, Ops its operators.
	Kinds      []string
	Rtol, Atol float64
	Fed        bool // all inputs and outputs are tensors
	Ops        []string
	Opset      int

	Dir string
}

// Name is the case's name.
func (c Case) Name() string { return filepath.Base(filepath.Dir(c.Dir)) + "/" + filepath.Base(c.Dir) }

// Numeric says whether a case has floats, integers and booleans alone.
func (c Case) Numeric() bool {
	for _, k := range c.Kinds {
		switch k {
		case "FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "BOOL":
		default:
			return false
		}
	}
	return c.Fed
}

// Tensor reads a tensor of a case: "in_0.pb".
func (c Case) Tensor(name string) (*proto.Tensor, error) {
	b, err := os.ReadFile(filepath.Join(c.Dir, name))
	if err != nil {
		return nil, err
	}
	return proto.ReadTensor(b)
}

// Suite writes the cases of a kind ("backend", "operators" or "files") and reads what they are.
func Suite(t testing.TB, kind string) []Case {
	t.Helper()
	interpreter := Python(t)
	path, err := Packages()
	if err != nil {
		t.Fatal(err)
	}
	top, err := pip.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(interpreter, "-W", "ignore", filepath.Join(top, "dl", "onnx", "testdata", "suite.py"), kind, dir)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+path, "PYTHONDONTWRITEBYTECODE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("suite.py %s: %v\n%s", kind, err, out)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*", "case.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("suite.py %s wrote no cases: %v", kind, err)
	}
	sort.Strings(paths)
	var all []Case
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		c := Case{Dir: filepath.Dir(p)}
		if err := json.Unmarshal(b, &c); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}
