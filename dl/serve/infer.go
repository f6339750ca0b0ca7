package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// statusError is an error with the status of HTTP that it has.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

func bad(format string, args ...any) error { return &statusError{400, fmt.Errorf(format, args...)} }

// statusOf is the status of an error.
func statusOf(err error) int {
	var s *statusError
	switch {
	case errors.As(err, &s):
		return s.status
	case errors.Is(err, errBusy), errors.Is(err, errClosed):
		return 503
	case errors.Is(err, context.DeadlineExceeded):
		return 504
	case errors.Is(err, context.Canceled):
		return 499 // as nginx has it: who asked has gone
	}
	return 500
}

// request is an inference request, as it comes.
type request struct {
	ID         string          `json:"id"`
	Parameters map[string]any  `json:"parameters"`
	Inputs     []requestInput  `json:"inputs"`
	Outputs    []requestOutput `json:"outputs"`
}

type requestInput struct {
	Name       string          `json:"name"`
	Datatype   string          `json:"datatype"`
	Shape      []int           `json:"shape"`
	Parameters map[string]any  `json:"parameters"`
	Data       json.RawMessage `json:"data"`

	raw     []byte    // of the binary extension or gRPC, in place of Data
	numbers []float32 // of gRPC
}

type requestOutput struct {
	Name       string         `json:"name"`
	Parameters map[string]any `json:"parameters"`
}

// answer is what a model makes of a request.
type answer struct {
	loaded  *loaded
	id      string
	outputs []answered
	outcome outcome
}

type answered struct {
	Port
	Tensor
	binary bool
}

// tensors are a request's inputs in the order of the model's.
func tensors(d Description, in []requestInput) ([]Tensor, error) {
	all := make([]Tensor, len(d.Inputs))
	given := make([]bool, len(d.Inputs))
	for _, r := range in {
		at := -1
		for i, p := range d.Inputs {
			if p.Name == r.Name {
				at = i
			}
		}
		if at < 0 {
			return nil, bad("there is no input %q; the model has %s", r.Name, named(d.Inputs))
		}
		if given[at] {
			return nil, bad("input %q is given twice", r.Name)
		}
		given[at] = true
		t, err := r.tensor(d.Inputs[at])
		if err != nil {
			return nil, bad("input %q: %w", r.Name, err)
		}
		all[at] = t
	}
	for i, ok := range given {
		if !ok {
			return nil, bad("input %q is missing", d.Inputs[i].Name)
		}
	}
	return all, nil
}

func (r requestInput) tensor(p Port) (t Tensor, err error) {
	if r.Datatype != p.Datatype {
		return t, fmt.Errorf("expected datatype %s, got %q", p.Datatype, r.Datatype)
	}
	n := 1
	for _, d := range r.Shape {
		if d < 0 || d > 0 && n > 1<<31/d {
			return t, fmt.Errorf("shape %v is no shape", r.Shape)
		}
		n *= d
	}
	t.Shape = r.Shape
	if r.raw != nil {
		t.Data, err = decode(r.raw, r.Datatype)
		return t, err
	}
	if r.numbers != nil {
		t.Data = r.numbers
		return t, nil
	}
	if r.Data == nil {
		return t, errors.New("data is missing")
	}
	// No more room than the text can have numbers.
	t.Data, err = parseNumbers(make([]float32, 0, min(n, len(r.Data)/2+1)), r.Data, r.Datatype)
	return t, err
}

func named(ports []Port) string {
	text := ""
	for i, p := range ports {
		if i > 0 {
			text += ", "
		}
		text += strconv.Quote(p.Name)
	}
	return text
}

// infer has a model compute a request.
func (s *Server) infer(ctx context.Context, name, version string, r *request) (*answer, error) {
	l, release, err := s.registry.get(name, version)
	if err != nil {
		return nil, err
	}
	defer release()
	d := l.described
	inputs, err := tensors(d, r.Inputs)
	if err != nil {
		return nil, err
	}
	n, err := checked(d, inputs)
	if err != nil {
		return nil, bad("%w", err)
	}
	if most := s.config.MaxExamples; n > most {
		return nil, &statusError{413, fmt.Errorf("expected at most %d examples in a request, got %d", most, n)}
	}
	ctx, end := s.span(ctx, "compute", l)
	o, err := l.batcher.predict(ctx, d, inputs, n)
	end(o, err)
	if err != nil {
		return nil, err
	}
	return selected(l, r, o)
}

// selected are the outputs that a request asks for; all of them if it names none.
func selected(l *loaded, r *request, o outcome) (*answer, error) {
	a := &answer{loaded: l, id: r.ID, outcome: o}
	all, _ := r.Parameters["binary_data_output"].(bool)
	if len(r.Outputs) == 0 {
		for i, p := range l.described.Outputs {
			a.outputs = append(a.outputs, answered{p, o.outputs[i], all})
		}
		return a, nil
	}
	for _, want := range r.Outputs {
		if _, ok := want.Parameters["classification"]; ok {
			return nil, bad("output %q: classification is not supported", want.Name)
		}
		at := -1
		for i, p := range l.described.Outputs {
			if p.Name == want.Name {
				at = i
			}
		}
		if at < 0 {
			return nil, bad("there is no output %q; the model has %s", want.Name, named(l.described.Outputs))
		}
		binary := all
		if b, ok := want.Parameters["binary_data"].(bool); ok {
			binary = b
		}
		a.outputs = append(a.outputs, answered{l.described.Outputs[at], o.outputs[at], binary})
	}
	return a, nil
}

// json is the answer's header, and the bytes that follow it for outputs that are binary.
func (a *answer) json() (header, tail []byte, err error) {
	b := append([]byte(`{"model_name":`), quoted(a.loaded.name)...)
	b = append(b, `,"model_version":`...)
	b = append(b, quoted(a.loaded.version)...)
	if a.id != "" {
		b = append(b, `,"id":`...)
		b = append(b, quoted(a.id)...)
	}
	b = append(b, `,"outputs":[`...)
	for i, o := range a.outputs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"name":`...)
		b = append(b, quoted(o.Name)...)
		b = append(b, `,"datatype":"`+o.Datatype+`","shape":[`...)
		for k, d := range o.Tensor.Shape {
			if k > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(d), 10)
		}
		b = append(b, ']')
		if o.binary {
			before := len(tail)
			tail = encode(tail, o.Data, o.Datatype)
			b = fmt.Appendf(b, `,"parameters":{"binary_data_size":%d}`, len(tail)-before)
		} else {
			b = append(b, `,"data":`...)
			if b, err = appendNumbers(b, o.Data, o.Port); err != nil {
				return nil, nil, err
			}
		}
		b = append(b, '}')
	}
	return append(b, "]}"...), tail, nil
}

func quoted(s string) []byte {
	b, _ := json.Marshal(s) // of a string, it cannot fail
	return b
}
