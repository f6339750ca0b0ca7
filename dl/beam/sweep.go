package beam

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism" // the runner that needs no server
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

// Search is how a sweep chooses hyperparameters.
type Search string

const (
	// Grid tries all combinations.
	Grid Search = "grid"
	// Random draws each trial's by chance.
	Random Search = "random"
	// Bayesian chooses what promises most after the trials before, by a Gaussian process.
	Bayesian Search = "bayesian"
)

// SweepConfig says what is tried. What is not given has the value that stands with it.
type SweepConfig struct {
	// Trial is the name of RegisterTrial.
	Trial string
	// Space is what is searched, Search how (Random).
	Space  Space
	Search Search
	// Trials is how many there are; a grid has as many as it has (20).
	Trials int
	// Round is how many are tried at the same time (4). What is learned of a round, also by
	// Stop, goes into the next one.
	Round int
	// Seed is where chance begins.
	Seed uint64
	// Dir is a folder that all workers see, for a file of each trial. A sweep that is killed
	// goes on from there, and ends as if it had not been.
	Dir string
	// Stop ends trials early whose value is worse than the median of the rounds before at the
	// same step, from step Patience on (1).
	Stop     bool
	Patience int
	// Runner is Beam's ("prism").
	Runner string
}

// Trial is what became of one.
type Trial struct {
	Number int
	Params Params
	// Value is the last one, Steps those that were reported.
	Value float64
	Steps []float64
	// Stopped says that it was ended early; Error why it has no value, which is 0 then.
	Stopped bool
	Error   string `json:",omitempty"`
	Seconds float64
}

// Results are those of a sweep, in the order of their numbers.
type Results []Trial

// Best is the trial with the least value; ok is false if none has one.
func (r Results) Best() (t Trial, ok bool) {
	t.Value = math.Inf(1)
	for _, one := range r {
		if one.Error == "" && !one.Stopped && one.Value < t.Value {
			t, ok = one, true
		}
	}
	return t, ok
}

// String is a table, the best first.
func (r Results) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%5s %12s %5s %8s  %s\n", "trial", "value", "steps", "seconds", "parameters")
	sorted := slices.Clone(r)
	slices.SortStableFunc(sorted, func(a, b Trial) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Value, b.Value))
	})
	for _, t := range sorted {
		note := ""
		switch {
		case t.Error != "":
			note = "  failed: " + t.Error
		case t.Stopped:
			note = "  stopped"
		}
		fmt.Fprintf(&b, "%5d %12.6g %5d %8.1f  %v%s\n", t.Number, t.Value, len(t.Steps), t.Seconds, t.Params, note)
	}
	return b.String()
}

// rank puts what failed behind what was stopped, and that behind the rest.
func rank(t Trial) int {
	switch {
	case t.Error != "":
		return 2
	case t.Stopped:
		return 1
	}
	return 0
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

// Sweep searches for good hyperparameters: each trial is an element of a pipeline, so trials run
// wherever the runner has workers. A trial that fails is a result; what the sweep itself lacks is an
// error.
func Sweep(ctx context.Context, c SweepConfig) (Results, error) {
	c, planned, err := c.checked()
	if err != nil {
		return nil, fmt.Errorf("dl/beam: %w", err)
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, err
	}
	var done Results
	for len(done) < c.Trials {
		n := min(c.Round, c.Trials-len(done))
		var round []proposal
		for k := range n {
			number := len(done) + k
			p := c.params(planned, done, round, number)
			round = append(round, c.proposal(number, p, medians(done)))
		}
		if err := c.run(ctx, round); err != nil {
			return done, fmt.Errorf("dl/beam: %w", err)
		}
		for _, p := range round {
			t, err := p.result()
			if err != nil {
				return done, fmt.Errorf("dl/beam: trial %d has left no result: %w", p.Number, err)
			}
			done = append(done, t)
		}
	}
	return done, nil
}

func (c SweepConfig) checked() (_ SweepConfig, planned []Params, err error) {
	c.Search, c.Trials, c.Round = cmp.Or(c.Search, Random), cmp.Or(c.Trials, 20), cmp.Or(c.Round, 4)
	c.Patience, c.Runner = cmp.Or(c.Patience, 1), cmp.Or(c.Runner, "prism")
	if _, ok := trials.Load(c.Trial); !ok {
		return c, nil, fmt.Errorf("expected the name of a trial that RegisterTrial has, got %q", c.Trial)
	}
	switch {
	case c.Dir == "":
		return c, nil, errors.New("expected a Dir for results")
	case len(c.Space) == 0:
		return c, nil, errors.New("expected a Space to search, got an empty one")
	case c.Trials < 1 || c.Round < 1:
		return c, nil, fmt.Errorf("expected at least one of Trials and Round, got %d and %d", c.Trials, c.Round)
	case !slices.Contains([]Search{Grid, Random, Bayesian}, c.Search):
		return c, nil, fmt.Errorf("expected a Search of grid, random or bayesian, got %q", c.Search)
	}
	for name, r := range c.Space {
		if err := r.check(name, c.Search == Grid); err != nil {
			return c, nil, err
		}
	}
	if c.Search == Grid {
		planned = c.Space.grid()
		c.Trials = len(planned)
	}
	return c, planned, nil
}

// params are those of a trial: they follow from the seed, and from the rounds before.
func (c SweepConfig) params(planned []Params, done Results, round []proposal, number int) Params {
	r := rand.New(rand.NewPCG(c.Seed, uint64(number)))
	switch c.Search {
	case Grid:
		return planned[number]
	case Bayesian:
		var sound []Trial
		for _, t := range done {
			if t.Error == "" && !math.IsNaN(t.Value) {
				sound = append(sound, t)
			}
		}
		var pending []Params
		for _, p := range round {
			pending = append(pending, p.params())
		}
		return c.Space.suggest(sound, pending, r)
	}
	return c.Space.draw(r)
}

func (c SweepConfig) proposal(number int, p Params, medians []float64) proposal {
	out := proposal{Trial: c.Trial, Dir: c.Dir, Number: number, Seed: c.Seed + uint64(number), Stop: c.Stop, Patience: c.Patience, Medians: medians}
	out.Names = slices.Sorted(maps.Keys(p))
	for _, name := range out.Names {
		out.Values = append(out.Values, p[name])
	}
	return out
}

func (p proposal) params() Params {
	all := Params{}
	for i, name := range p.Names {
		all[name] = p.Values[i]
	}
	return all
}

// medians are those of values at each step, where at least three trials came so far.
func medians(done Results) []float64 {
	var all []float64
	for step := 0; ; step++ {
		var at []float64
		for _, t := range done {
			if step < len(t.Steps) {
				at = append(at, t.Steps[step])
			}
		}
		if len(at) < 3 {
			return all
		}
		slices.Sort(at)
		all = append(all, at[len(at)/2])
	}
}

// run has a pipeline try what has no result yet.
func (c SweepConfig) run(ctx context.Context, round []proposal) error {
	var open []proposal
	for _, p := range round {
		t, err := p.result()
		switch {
		case errors.Is(err, fs.ErrNotExist):
			open = append(open, p)
		case err != nil:
			return err
		case t.Params.String() != p.params().String():
			return fmt.Errorf("%s is of another sweep: it has %v, and this one has %v", p.path(), t.Params, p.params())
		}
	}
	if len(open) == 0 {
		return nil
	}
	pipeline, s := beam.NewPipelineWithRoot()
	beam.ParDo0(s, &trialFn{}, beam.Reshuffle(s, beam.CreateList(s, open)))
	_, err := beam.Run(ctx, c.Runner, pipeline)
	return err
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
	return leave(p.path(), text)
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

// leave writes a file beside its place, and puts it there.
func leave(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".trial-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
