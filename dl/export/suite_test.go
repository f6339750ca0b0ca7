package export

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/export/internal/golang"
	"github.com/gradbook/gradbook/dl/internal/onnxtest"
	"github.com/gradbook/gradbook/dl/internal/proto"
)

// program is a module of many exported models, which one program runs: for each of its
// lines of input, a case's folder, it says what became of the case.
type program struct {
	dir string
	run strings.Builder
}

// own are the names of a package that only one of several models in it can have.
var own = regexp.MustCompile(`(^|[^.\w])(Predict|weights|loaded|load|run|file)\b`)

func newProgram(t *testing.T) *program {
	p := &program{dir: t.TempDir()}
	p.write(t, "go.mod", []byte("module suite\n\ngo 1.24\n"))
	return p
}

func (p *program) write(t *testing.T, name string, content []byte) {
	t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// add exports a case's model; why says why it is refused.
func (p *program) add(t *testing.T, c onnxtest.Case, i int) (why string) {
	t.Helper()
	m, err := proto.Open(filepath.Join(c.Dir, "model.onnx"))
	if err != nil {
		return err.Error()
	}
	return p.model(t, c.Name(), m, i, golang.Options{From: "model.onnx"})
}

func (p *program) model(t *testing.T, title string, m *proto.Model, i int, o golang.Options) (why string) {
	t.Helper()
	plain, err := fs.Sub(sources, "plain")
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("case%d", i)
	o.Package, o.Plain = name, plain
	e, err := golang.New(m, o)
	if err != nil {
		if strings.Contains(err.Error(), "is not Go") {
			t.Errorf("%s: %v", title, err)
		}
		return err.Error()
	}
	for file, content := range e.Files {
		if strings.HasPrefix(file, name+".") && filepath.Ext(file) == ".go" {
			content = own.ReplaceAll(content, fmt.Appendf(nil, "${1}${2}%d", i))
		}
		p.write(t, file, bytes.Replace(content, []byte("\npackage "+name+"\n"), []byte("\npackage main\n"), 1))
	}
	fmt.Fprintf(&p.run, "\ncase %q:\n", name)
	var in, out, save []string
	for k, port := range e.Inputs {
		fmt.Fprintf(&p.run, "x%d, s%[1]d := readRaw[%s](dir, \"in_%[1]d\")\n_ = s%[1]d\n", k, port.Type)
		in = append(in, fmt.Sprintf("x%d", k))
		if e.Shapes {
			in = append(in, fmt.Sprintf("s%d", k))
		}
	}
	for k := range e.Outputs {
		out = append(out, fmt.Sprintf("y%d", k))
		shape := "nil"
		if e.Shapes {
			out = append(out, fmt.Sprintf("z%d", k))
			shape = fmt.Sprintf("z%d", k)
		}
		save = append(save, fmt.Sprintf("save(dir, \"got_%d\", y%[1]d, %s)", k, shape))
	}
	fmt.Fprintf(&p.run, "%s, err := Predict%d(%s)\nif err != nil { return err }\n%s\n", strings.Join(out, ", "), i, strings.Join(in, ", "), strings.Join(save, "\n"))
	return ""
}

const runner = `package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
)

func readRaw[T any](dir, name string) ([]T, []int) {
	raw, err := os.ReadFile(filepath.Join(dir, name+".raw"))
	if err != nil { panic(err) }
	var shape []int
	text, err := os.ReadFile(filepath.Join(dir, name+".json"))
	if err != nil { panic(err) }
	if err := json.Unmarshal(text, &shape); err != nil { panic(err) }
	n := 1
	for _, d := range shape { n *= d }
	x := make([]T, n)
	if _, err := binary.Decode(raw, binary.LittleEndian, x); err != nil { panic(err) }
	return x, shape
}

func save(dir, name string, x any, shape []int) {
	raw, err := binary.Append(nil, binary.LittleEndian, x)
	if err != nil { panic(err) }
	if err := os.WriteFile(filepath.Join(dir, name+".raw"), raw, 0o600); err != nil { panic(err) }
	text, _ := json.Marshal(shape)
	if err := os.WriteFile(filepath.Join(dir, name+".json"), text, 0o600); err != nil { panic(err) }
}

func runCase(name, dir string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("PANIC %%v %%s", r, debug.Stack())
		}
	}()
	switch name {
%s
	}
	return nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		name, dir, _ := strings.Cut(lines.Text(), " ")
		text := ""
		if err := runCase(name, dir); err != nil { text = err.Error() }
		out, _ := json.Marshal([]string{name, text})
		fmt.Println(string(out))
	}
}
`

// run builds the program and has it run cases; what it says goes by their names.
func (p *program) start(t *testing.T, cases map[string]string, env ...string) map[string]string {
	t.Helper()
	p.write(t, "main.go", fmt.Appendf(nil, runner, p.run.String()))
	build := exec.Command("go", "build", "-o", "suite", ".")
	build.Dir = p.dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the exported packages do not compile: %v\n%.4000s", err, out)
	}
	var in strings.Builder
	for name, dir := range cases {
		fmt.Fprintln(&in, name, dir)
	}
	cmd := exec.Command(filepath.Join(p.dir, "suite"))
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin = strings.NewReader(in.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%.4000s", err, out)
	}
	said := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		var pair [2]string
		if err := json.Unmarshal([]byte(line), &pair); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		said[pair[0]] = pair[1]
	}
	return said
}

// feed writes a case's inputs for the program.
func feed(c onnxtest.Case, inputs int) error {
	for k := range inputs {
		p, err := c.Tensor(fmt.Sprintf("in_%d.pb", k))
		if err != nil {
			return err
		}
		if golang.Types[p.Kind] == "" {
			return errors.New("numbers of " + proto.KindNames[p.Kind])
		}
		shape, _ := json.Marshal(append([]int64{}, p.Dims...))
		base := filepath.Join(c.Dir, fmt.Sprintf("in_%d", k))
		if err := errors.Join(os.WriteFile(base+".raw", p.Raw, 0o600), os.WriteFile(base+".json", shape, 0o600)); err != nil {
			return err
		}
	}
	return nil
}

// reals are a tensor's numbers.
func reals(kind int, raw []byte) []float64 {
	var out []float64
	width := (&proto.Tensor{Kind: kind}).Width()
	for i := 0; i+width <= len(raw); i += width {
		b := raw[i:]
		var v float64
		switch kind {
		case proto.Float:
			v = float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
		case proto.Double:
			v = math.Float64frombits(binary.LittleEndian.Uint64(b))
		case proto.Int8:
			v = float64(int8(b[0]))
		case proto.Uint8, proto.Bool:
			v = float64(b[0])
		case proto.Int16:
			v = float64(int16(binary.LittleEndian.Uint16(b)))
		case proto.Uint16:
			v = float64(binary.LittleEndian.Uint16(b))
		case proto.Int32:
			v = float64(int32(binary.LittleEndian.Uint32(b)))
		case proto.Uint32:
			v = float64(binary.LittleEndian.Uint32(b))
		case proto.Int64:
			v = float64(int64(binary.LittleEndian.Uint64(b)))
		case proto.Uint64:
			v = float64(binary.LittleEndian.Uint64(b))
		}
		out = append(out, v)
	}
	return out
}

// differs says how an output differs from what a case wants, "" if it does not.
func differs(c onnxtest.Case, k int) string {
	want, err := c.Tensor(fmt.Sprintf("out_%d.pb", k))
	if err != nil {
		return err.Error()
	}
	base := filepath.Join(c.Dir, fmt.Sprintf("got_%d", k))
	raw, err := os.ReadFile(base + ".raw")
	if err != nil {
		return err.Error()
	}
	text, err := os.ReadFile(base + ".json")
	if err != nil {
		return err.Error()
	}
	// A shape that the file says itself is not returned.
	if dims, _ := json.Marshal(append([]int64{}, want.Dims...)); string(text) != "null" && string(text) != string(dims) {
		return fmt.Sprintf("got shape %s, want %s", text, dims)
	}
	a, b := reals(want.Kind, raw), reals(want.Kind, want.Raw)
	if len(a) != len(b) {
		return fmt.Sprintf("got %d numbers, want %d", len(a), len(b))
	}
	largest := 0.0
	for _, v := range b {
		if !math.IsInf(v, 0) {
			largest = max(largest, math.Abs(v))
		}
	}
	atol := max(c.Atol, largest/(1<<22))
	for i := range a {
		if a[i] != b[i] && !(math.IsNaN(a[i]) && math.IsNaN(b[i])) && !(math.Abs(a[i]-b[i]) <= atol+c.Rtol*math.Abs(b[i])) {
			return fmt.Sprintf("number %d of %d: got %v, want %v", i, len(a), a[i], b[i])
		}
	}
	return ""
}

var quoted = regexp.MustCompile(`"[^"]*"|\d+`)

// TestBackend exports ONNX's own tests as Go, and runs them: what is not refused is right.
//
// Source: https://github.com/onnx/onnx/blob/main/docs/OnnxBackendTest.md
func TestBackend(t *testing.T) {
	p := newProgram(t)
	cases, all := make(map[string]string), make(map[string]onnxtest.Case)
	refused := make(map[string]int)
	n := 0
	for i, c := range onnxtest.Suite(t, "backend") {
		if !c.Numeric() || testing.Short() && i%10 != 0 {
			continue
		}
		n++
		m, err := proto.Open(filepath.Join(c.Dir, "model.onnx"))
		if err != nil {
			t.Fatal(err)
		}
		if err := feed(c, len(m.Graph.Inputs)); err != nil {
			refused[err.Error()]++
			continue
		}
		if why := p.add(t, c, i); why != "" {
			refused[quoted.ReplaceAllString(why, "…")]++
			continue
		}
		name := fmt.Sprintf("case%d", i)
		cases[name], all[name] = c.Dir, c
	}
	wrong := 0
	for _, env := range []string{"GRADBOOK_KERNELS=", "GRADBOOK_KERNELS=avx2", "GRADBOOK_KERNELS=go"} {
		for name, said := range p.start(t, cases, env) {
			if said == "" {
				said = judged(t, all[name])
			}
			if said != "" {
				t.Errorf("%s %s %s: %.600s", env, name, all[name].Name(), said)
				wrong++
			}
		}
	}
	t.Logf("%d cases: %d exported, %d wrong", n, len(cases), wrong)
	if !testing.Short() && len(cases) < 891 {
		t.Errorf("expected 891 cases to be exported, as they were, got %d", len(cases))
	}
	var lines []string
	for why, n := range refused {
		lines = append(lines, fmt.Sprintf("%4d %s", n, why))
	}
	sort.Sort(sort.Reverse(sort.StringSlice(lines)))
	t.Log("refused:\n" + strings.Join(lines, "\n"))
}

// judged says how the outputs of a case differ from what it wants.
func judged(t *testing.T, c onnxtest.Case) string {
	t.Helper()
	outs, err := filepath.Glob(filepath.Join(c.Dir, "out_*.pb"))
	if err != nil {
		t.Fatal(err)
	}
	for k := range outs {
		if d := differs(c, k); d != "" {
			return fmt.Sprintf("output %d: %s", k, d)
		}
	}
	return ""
}
