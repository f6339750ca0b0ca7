package beam

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism" // the runner that needs no server
)

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
