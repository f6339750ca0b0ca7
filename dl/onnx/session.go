package onnx

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/mapping"
	"github.com/gradbook/gradbook/dl/internal/proto"
	"github.com/gradbook/gradbook/dl/onnx/internal/translate"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Session runs the graph of a file as it is written, for inputs of any shapes and types
// that the file allows. A program is compiled for each combination of shapes that comes,
// and kept. Sessions can be used by several goroutines at once.
//
// Source: https://onnxruntime.ai/docs/api/python/api_summary.html#onnxruntime.InferenceSession
type Session struct {
	path   string
	graph  *translate.Graph
	inputs []proto.Value
	values map[string]*tensor.Tensor

	mu       sync.Mutex
	device   *device.Device
	programs map[string]*stage
	weights  map[string]placed // by name, and the order of their axes
}

// Open reads a file for inference. Programs for the config's Shapes, if all axes of all
// inputs are known, are compiled at once; others when inputs come.
//
// What is not honoured is a *dl.FormatError that names the node, the operator and the
// attribute.
func Open(path string, config ...Config) (*Session, error) {
	s, err := open(path, config)
	if err != nil {
		return nil, refused(path, err)
	}
	return s, nil
}

func open(path string, config []Config) (*Session, error) {
	c, err := one(config)
	if err != nil {
		return nil, err
	}
	g, err := read(path)
	if err != nil {
		return nil, err
	}
	for _, v := range g.Outputs {
		if v.Other != "" {
			return nil, fmt.Errorf("output %q: expected a tensor, got %s, which is not supported", v.Name, v.Other)
		}
	}
	inputs, err := c.open(g)
	if err != nil {
		return nil, err
	}
	values, err := c.values()
	if err != nil {
		return nil, err
	}
	d, err := device.Current()
	if err != nil {
		return nil, err
	}
	s := &Session{path: path, graph: g, inputs: inputs, values: values, device: d, programs: make(map[string]*stage), weights: make(map[string]placed)}
	if len(c.Shapes) > 0 {
		return s, s.ahead()
	}
	return s, nil
}

// ahead compiles for the shapes of a config.
func (s *Session) ahead() error {
	var all []shapes.Shape
	for _, v := range s.inputs {
		var dims []int
		for _, d := range v.Dims {
			if d.Size < 0 {
				return nil
			}
			dims = append(dims, int(d.Size))
		}
		if !v.Ranked {
			return nil
		}
		all = append(all, shapes.Make(translate.DType(v.Kind), dims...))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.first(all)
	return err
}

// Inputs are what Run needs.
func (s *Session) Inputs() []Value { return public(s.inputs) }

// Outputs are what Run returns.
func (s *Session) Outputs() []Value { return public(s.graph.Outputs) }

// Run computes the outputs, by their names, for inputs by theirs, each of the type and with
// the axes that the file says. The first run with new shapes compiles a program.
func (s *Session) Run(inputs map[string]*tensor.Tensor) (map[string]*tensor.Tensor, error) {
	out, err := s.run(inputs)
	if err != nil {
		return nil, fmt.Errorf("onnx: cannot run %s: %w", s.path, err)
	}
	return out, nil
}

func (s *Session) run(inputs map[string]*tensor.Tensor) (map[string]*tensor.Tensor, error) {
	var in []*tensor.Tensor
	var all []shapes.Shape
	for _, v := range s.inputs {
		t := inputs[v.Name]
		if t == nil {
			return nil, fmt.Errorf("expected an input %q, %s, got none", v.Name, shapeText(v))
		}
		if err := fits(v, t); err != nil {
			return nil, err
		}
		in, all = append(in, t), append(all, t.Shape())
	}
	if len(inputs) != len(in) {
		names := slices.Sorted(maps.Keys(inputs))
		return nil, fmt.Errorf("expected inputs %s, got %s", list(s.Inputs()), strings.Join(names, ", "))
	}
	buffers, err := engine.UploadAll(s.device, in)
	defer engine.Free(buffers...)
	if err != nil {
		return nil, err
	}
	results, err := s.through(all, in, buffers)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*tensor.Tensor)
	for i, b := range results {
		t, err := engine.Tensor(b)
		if err != nil {
			return nil, err
		}
		out[s.graph.Outputs[i].Name] = t
	}
	return out, nil
}

func list(values []Value) string {
	var names []string
	for _, v := range values {
		names = append(names, v.Name)
	}
	return strings.Join(names, ", ")
}

// stage is a program, or the question for an input's numbers, and what comes next.
type stage struct {
	// program computes the outputs or, if asks is set, what the next program must know.
	program *engine.Program
	weights []compute.Buffer
	asks    bool
	// input is the input whose numbers the next program must know, -1 for none.
	input int
	next  map[string]*stage // by those numbers
}

// most is how many programs a session keeps of each kind; with more it forgets all and
// begins anew.
const most = 128

// first is the first stage for inputs of these shapes.
func (s *Session) first(all []shapes.Shape) (*stage, error) {
	var key strings.Builder
	for _, shape := range all {
		key.WriteString(shape.String())
	}
	if st := s.programs[key.String()]; st != nil {
		return st, nil
	}
	st, err := s.compile(all, nil)
	if err != nil {
		return nil, err
	}
	if len(s.programs) >= most {
		clear(s.programs)
	}
	s.programs[key.String()] = st
	return st, nil
}

// through goes from stage to stage until one returns the outputs.
func (s *Session) through(all []shapes.Shape, in []*tensor.Tensor, buffers []compute.Buffer) ([]compute.Buffer, error) {
	s.mu.Lock()
	st, err := s.first(all)
	s.mu.Unlock()
	var answers []*tensor.Tensor
	for err == nil {
		var answer *tensor.Tensor
		if st.input >= 0 {
			answer = in[st.input]
		} else {
			var out []compute.Buffer
			if out, err = st.program.Run(append(slices.Clone(buffers), st.weights...)); err != nil || !st.asks {
				return out, err
			}
			if answer, err = engine.Tensor(out[0]); err != nil {
				return nil, err
			}
		}
		answers = append(answers, answer)
		st, err = s.after(st, all, answers)
	}
	return nil, err
}

// after is the stage that follows on an answer, the last one.
func (s *Session) after(st *stage, all []shapes.Shape, answers []*tensor.Tensor) (*stage, error) {
	var key string
	last := answers[len(answers)-1]
	if err := last.ConstBytes(func(b []byte) { key = last.Shape().String() + string(b) }); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if next := st.next[key]; next != nil {
		return next, nil
	}
	next, err := s.compile(all, answers)
	if err != nil {
		return nil, err
	}
	if len(st.next) >= most {
		clear(st.next)
	}
	if st.next == nil {
		st.next = make(map[string]*stage)
	}
	st.next[key] = next
	return next, nil
}

// small is the most numbers of a tensor that becomes part of a program, instead of an input
// that all programs share.
const small = 1 << 8

// compile builds a program for shapes, and for what is known of the numbers.
func (s *Session) compile(all []shapes.Shape, answers []*tensor.Tensor) (*stage, error) {
	st := &stage{input: -1}
	var params []engine.Param
	for i, shape := range all {
		params = append(params, engine.Param{Name: s.inputs[i].Name, Shape: shape})
	}
	program, err := engine.CompileWith(s.device, "onnx", params, func(to *graph.Graph, in []*graph.Node, more func(engine.Param) *graph.Node) []*graph.Node {
		made := make(map[string]*graph.Node)
		source := translate.Source{
			Known: s.values, Answers: answers, Asks: true,
			Input: func(name string) *graph.Node { return in[s.index(name)] },
			Weight: func(t *proto.Tensor, axes []int) *graph.Node {
				if n, err := t.Size(); err != nil || n < small {
					return nil
				}
				key := t.Name + fmt.Sprint(axes)
				if made[key] == nil {
					w := s.weight(t, axes, key)
					made[key] = more(engine.Param{Name: t.Name, Shape: w.shape})
					st.weights = append(st.weights, w.buffer)
				}
				return made[key]
			},
		}
		out, asked := s.graph.Translate(to, source)
		switch {
		case asked == nil:
			return out
		case asked.Input != "":
			st.input = s.index(asked.Input)
			return nil
		}
		st.asks = true
		return []*graph.Node{asked.Node}
	})
	st.program = program
	return st, err
}

func (s *Session) index(name string) int {
	return slices.IndexFunc(s.inputs, func(v proto.Value) bool { return v.Name == name })
}

// placed is a tensor on the device.
type placed struct {
	buffer compute.Buffer
	shape  shapes.Shape
}

// weight is one of the file's tensors on the device, with its axes in an order.
func (s *Session) weight(t *proto.Tensor, axes []int, key string) placed {
	if w, ok := s.weights[key]; ok {
		return w
	}
	host := s.graph.Tensor(t.Name)
	if axes != nil {
		host = mapping.Permuted(host, axes)
	}
	all, err := engine.UploadAll(s.device, []*tensors.Tensor{host})
	if err != nil {
		panic(err)
	}
	w := placed{all[0], host.Shape()}
	s.weights[key] = w
	return w
}
