// Package onnxtest has what nobody here wrote to test ONNX with: ONNX's own backend tests,
// models of one operator each as onnxruntime computes them, and files that people use.
package onnxtest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/gradbook/gradbook/dl/internal/proto"
)

// root is the folder of the module that a test runs in.
var root = sync.OnceValues(func() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "dl", "onnx", "testdata")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("not inside the module")
		}
	}
})

// Python is the interpreter that setup made; a test without one that onnxruntime works with
// is skipped.
func Python(t testing.TB) string {
	t.Helper()
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, ".gradbook", "venv", "bin", "python")
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
	top, err := root()
	if err != nil {
		return "", err
	}
	dir, list := filepath.Join(top, ".gradbook", "onnx"), filepath.Join(top, "dl", "onnx", "testdata", "requirements.txt")
	wanted, err := os.ReadFile(list)
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
		"--require-hashes", "--no-deps", "--only-binary", ":all:", "--target", dir, "-r", list)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("installing the packages of testdata/requirements.txt: %w\n%s", err, out)
	}
	return dir, os.WriteFile(stamp, wanted, 0o600)
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
	top, err := root()
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
