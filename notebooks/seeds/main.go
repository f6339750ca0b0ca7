// Command seeds runs the tutorials with other random numbers, and writes down what they
// print and whether what their text says still holds: a page for each notebook beside
// this file.
//
//	go run ./notebooks/seeds                    all, in the repository's root; half an hour
//	go run ./notebooks/seeds 04-rnn             one
//
// Random numbers come from dl.SetRandomSeed and rand.NewPCG, whose first number is
// another in each run. Beside that, variations change what a sceptic would change, a
// rate, a number of epochs, a width: notebooks/seeds/variations has them, as edits.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gradbook/gradbook/kernel/notebook"
	"github.com/gradbook/gradbook/notebooks/internal/cells"
	"github.com/gradbook/gradbook/notebooks/internal/ipynb"
)

func main() {
	seeds := flag.Int("seeds", 5, "how many")
	jobs := flag.Int("jobs", 2, "how many at a time")
	folder := flag.String("notebooks", "notebooks", "the folder of the tutorials")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := pages(ctx, *folder, flag.Args(), *seeds, *jobs)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// pages writes the pages of notebooks, of all if none are named.
func pages(ctx context.Context, folder string, names []string, seeds, jobs int) error {
	if seeds < 1 || jobs < 1 {
		return fmt.Errorf("expected a seed and a job or more, got %d and %d", seeds, jobs)
	}
	if len(names) == 0 {
		var err error
		if names, err = ipynb.Chapters(folder); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := page(ctx, folder, name, seeds, jobs); err != nil {
			return err
		}
	}
	return nil
}

// page writes the page of a notebook.
func page(ctx context.Context, folder, name string, seeds, jobs int) error {
	n, err := ipynb.Read(filepath.Join(folder, name+".ipynb"))
	if err != nil {
		return err
	}
	list, err := variations(filepath.Join(folder, "seeds", "variations", name+".txt"))
	if err != nil {
		return err
	}
	results := make([][]result, len(list))
	var errs []error
	var mu sync.Mutex
	var wg sync.WaitGroup
	turns := make(chan [2]int)
	for range jobs {
		wg.Go(func() {
			for t := range turns {
				r, err := list[t[0]].run(ctx, n, t[1])
				mu.Lock()
				results[t[0]][t[1]] = r
				if err != nil {
					errs = append(errs, fmt.Errorf("%s: %s: seed %d: %w", name, list[t[0]].name, t[1], err))
				}
				mu.Unlock()
			}
		})
	}
	for v := range list {
		results[v] = make([]result, seeds)
		for k := range seeds {
			turns <- [2]int{v, k}
		}
	}
	close(turns)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	text := fmt.Sprintf("# %s, with %d seeds\n\nWritten by `go run ./notebooks/seeds %s`. A number is a mean over the seeds, with the least and the largest behind it. Under the variations, a claim about a number that belongs to the text's own setting need not hold.\n", name, seeds, name)
	for v := range list {
		text += list[v].table(n, results[v])
	}
	fmt.Println("wrote", name)
	return os.WriteFile(filepath.Join(folder, "seeds", name+".md"), []byte(text), 0o644)
}

// variation is a notebook with some edits, or some cells of it.
type variation struct {
	name  string
	cells []string // that it is about; none means all
	edits []ipynb.Edit
}

// variations reads a file; the notebook as it is comes first.
//
//	# what is changed
//	cells CELL CELL
//	in CELL
//	- a line, or several
//	+ what stands there instead
func variations(path string) ([]variation, error) {
	list := []variation{{name: "As it is"}}
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return list, nil
	}
	if err != nil {
		return nil, err
	}
	for i, line := range strings.Split(string(raw), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		v := &list[len(list)-1]
		if last := len(v.edits) - 1; last < 0 && (word == "-" || word == "+") {
			return nil, fmt.Errorf("%s:%d: expected the cell first", path, i+1)
		}
		switch word {
		case "#":
			list = append(list, variation{name: rest})
		case "cells":
			v.cells = strings.Fields(rest)
		case "in":
			v.edits = append(v.edits, ipynb.Edit{Cell: rest})
		case "-", "+":
			v.edits[len(v.edits)-1].Line(word, rest)
		case "":
		default:
			return nil, fmt.Errorf("%s:%d: expected a line of a variation, got %q", path, i+1, line)
		}
	}
	return list, nil
}

var source = regexp.MustCompile(`(dl\.SetRandomSeed\(|rand\.NewPCG\()(\d+)([,)])`)

// reseeded is code with other random numbers.
func reseeded(code string, k int) string {
	return source.ReplaceAllStringFunc(code, func(s string) string {
		m := source.FindStringSubmatch(s)
		number, err := strconv.Atoi(m[2])
		if err != nil {
			return s
		}
		return m[1] + strconv.Itoa(number+1000*k) + m[3]
	})
}

// result is what the cells printed, and which claims failed.
type result struct{ printed, failed map[string]string }

func (v variation) run(ctx context.Context, n *ipynb.Notebook, k int) (result, error) {
	solved := n.Solved()
	for i, c := range solved.Cells {
		if c.CellType != "code" {
			continue
		}
		d := *c
		for _, e := range v.edits {
			if e.Cell != c.ID {
				continue
			}
			var once bool
			if d.Source, once = e.Apply(d.Source); !once {
				return result{}, fmt.Errorf("cell %s: expected %q once", c.ID, e.Old)
			}
		}
		d.Source = notebook.Text(reseeded(string(d.Source), k))
		solved.Cells[i] = &d
	}
	code := slices.DeleteFunc(solved.Code(), func(c *ipynb.Cell) bool {
		return strings.Contains(string(c.Source), "!*") || c.ID == "program-class" || c.ID == "program-test"
	})
	if len(v.cells) > 0 {
		var err error
		if code, err = cells.Slice(code, v.cells...); err != nil {
			return result{}, err
		}
	}
	printed, failed, err := cells.Try(ctx, code)
	return result{printed, failed}, err
}
