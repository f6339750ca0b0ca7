package beam

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/gradbook/gradbook/dl/internal/atomicfile"
)

func init() {
	beam.RegisterType(reflect.TypeFor[proposal]())
	register.DoFn2x1[context.Context, proposal, error](&trialFn{})
}

// TrialFunc trains with hyperparameters, and returns the value that is to be small, such as the loss
// of validation. It calls report after each step, such as an epoch, with the value so far, and
// should end with it when report returns false: others did better by then. With the same parameters
// and seed it should do the same.
type TrialFunc func(ctx context.Context, p Params, seed uint64, report func(value float64) bool) (float64, error)

var trials sync.Map

// RegisterTrial gives a function a name, by which workers on other machines know it. It is called
// from init.
func RegisterTrial(name string, f TrialFunc) {
	if _, twice := trials.LoadOrStore(name, f); twice {
		panic(fmt.Sprintf("dl/beam: two trials are called %q", name))
	}
}

// proposal is an element: a trial to come, and what the rounds before had at each step.
type proposal struct {
	Trial, Dir string
	Number     int
	Names      []string
	Values     []float64
	Seed       uint64
	Stop       bool
	Patience   int
	Medians    []float64
}

func (p proposal) params() Params {
	all := Params{}
	for i, name := range p.Names {
		all[name] = p.Values[i]
	}
	return all
}

func (p proposal) path() string {
	return filepath.Join(p.Dir, fmt.Sprintf("trial-%04d.json", p.Number))
}

// result is what became of a proposal.
func (p proposal) result() (t Trial, err error) {
	text, err := os.ReadFile(p.path())
	if err != nil {
		return t, err
	}
	if err := json.Unmarshal(text, &t); err != nil {
		return t, fmt.Errorf("%s: %w", p.path(), err)
	}
	return t, nil
}

// trialFn runs trials.
type trialFn struct{}

// ProcessElement runs one, and leaves its result as a file, which is there whole or not at all.
func (*trialFn) ProcessElement(ctx context.Context, p proposal) error {
	f, ok := trials.Load(p.Trial)
	if !ok {
		return fmt.Errorf("dl/beam: this worker knows no trial %q", p.Trial)
	}
	t := Trial{Number: p.Number, Params: p.params()}
	start := time.Now()
	value, err := try(ctx, f.(TrialFunc), p, &t)
	if err == nil && (math.IsNaN(value) || math.IsInf(value, 0)) {
		err = fmt.Errorf("its value is %v", value)
	}
	t.Seconds = time.Since(start).Seconds()
	t.Value = value
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err() // the sweep ends, and the trial with it
		}
		t.Error, t.Value = err.Error(), 0
	}
	text, err := json.MarshalIndent(t, "", "\t")
	if err != nil {
		return err
	}
	return atomicfile.Write(p.path(), 0o600, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// try runs a function, whose panic is its error.
func try(ctx context.Context, f TrialFunc, p proposal, t *Trial) (value float64, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return f(ctx, t.Params, p.Seed, func(value float64) bool {
		step := len(t.Steps)
		t.Steps = append(t.Steps, value)
		if math.IsNaN(value) || math.IsInf(value, 0) {
			t.Steps[step] = math.MaxFloat64 // JSON has no word for it
		}
		if p.Stop && step+1 >= p.Patience && step < len(p.Medians) && !(value <= p.Medians[step]) {
			t.Stopped = true
		}
		return !t.Stopped
	})
}
