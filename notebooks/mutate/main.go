// Command mutate tries the claims of the tutorials. It makes their text false, by an
// edit of a code cell or of a solution at a time, runs the cells that matter, and
// requires that a hidden test cell says so:
//
//	go run ./notebooks/mutate                  all, in the repository's root
//	go run ./notebooks/mutate 02-backprop      of one notebook
//	go run ./notebooks/mutate -part 1/4        every fourth
//	go run ./notebooks/mutate -true            the same cells as they are: no claim may fail
//
// The edits are in notebooks/mutate/edits. A claim that none of them tries is a
// failure of the tests of this folder.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gradbook/gradbook/notebooks/internal/cells"
	"github.com/gradbook/gradbook/notebooks/internal/ipynb"
)

func main() {
	part := flag.String("part", "1/1", "which of how many parts")
	truth := flag.Bool("true", false, "run the cells without the edits: the claims must hold")
	only := flag.String("only", "", "only edits whose descriptions contain this")
	jobs := flag.Int("jobs", 2, "how many at a time")
	folder := flag.String("notebooks", "notebooks", "the folder of the tutorials")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *folder, flag.Args(), *part, *only, *jobs, *truth)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, folder string, names []string, part, only string, jobs int, truth bool) error {
	var k, of int
	if _, err := fmt.Sscanf(part, "%d/%d", &k, &of); err != nil || k < 1 || k > of {
		return fmt.Errorf("expected a part such as 1/4, got %q", part)
	}
	if jobs < 1 {
		return fmt.Errorf("expected a job at a time or more, got %d", jobs)
	}
	all, err := load(folder, names)
	if err != nil {
		return err
	}
	var list []trial
	for i, t := range all {
		if i%of == k-1 && strings.Contains(t.name, only) {
			list = append(list, t)
		}
	}
	if truth {
		list = distinct(list)
	}
	var wg sync.WaitGroup
	turns, failures := make(chan trial), make(chan error, len(list))
	for range jobs {
		wg.Go(func() {
			for t := range turns {
				failures <- t.run(ctx, truth)
			}
		})
	}
	for _, t := range list {
		turns <- t
	}
	close(turns)
	wg.Wait()
	close(failures)
	var errs []error
	for err := range failures {
		if err != nil {
			errs = append(errs, err)
		}
	}
	fmt.Printf("%d of %d as expected\n", len(list)-len(errs), len(list))
	return errors.Join(errs...)
}

// trial is a mutation of a notebook that has been read.
type trial struct {
	mutation

	source *ipynb.Notebook
}

// load reads mutations, of all notebooks if none are named.
func load(folder string, names []string) (list []trial, err error) {
	if len(names) == 0 {
		if names, err = ipynb.Chapters(folder); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		n, err := ipynb.Read(filepath.Join(folder, name+".ipynb"))
		if err != nil {
			return nil, err
		}
		mutations, err := read(filepath.Join(folder, "mutate", "edits"), name)
		if err != nil {
			return nil, err
		}
		for _, m := range mutations {
			if _, err := m.apply(n); err != nil {
				return nil, err
			}
			list = append(list, trial{m, n})
		}
	}
	return list, nil
}

// distinct leaves one trial for each test cell.
func distinct(list []trial) (short []trial) {
	for _, t := range list {
		if !slices.ContainsFunc(short, func(o trial) bool { return o.notebook == t.notebook && o.catch.cell == t.catch.cell }) {
			short = append(short, t)
		}
	}
	return short
}

// patience is how long the cells of a trial may take.
const patience = 10 * time.Minute

// run makes the text false, and requires that the claim says so; if it is left true,
// that no claim of the cell fails.
func (t trial) run(ctx context.Context, truth bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	began := time.Now()
	edited := t.source.Solved()
	if !truth {
		var err error
		if edited, err = t.apply(t.source); err != nil {
			return err
		}
	}
	targets := append([]string{t.catch.cell}, t.with...)
	if !truth && !slices.Contains(targets, t.edit.Cell) {
		targets = append(targets, t.edit.Cell)
	}
	list, err := cells.Slice(edited.Code(), targets...)
	if err != nil {
		return fmt.Errorf("%s: %w", t.notebook, err)
	}
	_, err = cells.Run(ctx, list)
	var failed *cells.FailedError
	caught := errors.As(err, &failed) && failed.ID == t.catch.cell && strings.Contains(failed.Message, "the text claims what is not so")
	what, good := "caught", caught
	if truth {
		what, good = "true", err == nil
	}
	if !good {
		what = "NOT " + what
	}
	fmt.Printf("%-18s %-10s %5.1f s  %s (%v)\n", t.notebook, what, time.Since(began).Seconds(), t.name, t.catch)
	if !good {
		return fmt.Errorf("%s: %s: %s by claim %v: %w", t.notebook, t.name, what, t.catch, orNone(err))
	}
	return nil
}

// orNone says that there was no error.
func orNone(err error) error {
	if err == nil {
		return errors.New("all cells ran, and no claim failed")
	}
	return err
}
