// Runner measures on a GPU what bench/gpu/try has packed, on a machine that has a driver and
// Python with JAX and PyTorch, and need have neither Go, nor a C compiler, nor a network. It
// writes what it finds at once, and the table after each part, so that what was done is kept
// if the time ends.
//
//	runner -out DIR             # runs all parts
//	runner -write FILE.jsonl    # writes docs/performance.md's section on GPUs
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gradbook/gradbook/bench/gpu/record"
)

// settings are those of a run.
type settings struct {
	out, files, python, gradbook string
	only                         string
	limit                        time.Duration
	short, standIn, list         bool
}

func main() {
	var s settings
	flag.StringVar(&s.out, "out", "gpu-results", "folder for what is found")
	flag.StringVar(&s.files, "files", "", "folder with the worker, tests and peers; what is packed beside this program if empty")
	flag.StringVar(&s.python, "python", "python3", "the Python that has JAX and PyTorch")
	flag.StringVar(&s.gradbook, "gradbook", "", "a gradbook command that is set up, for a notebook's session; the one on PATH if empty")
	flag.StringVar(&s.only, "parts", "", "comma-separated parts; all if empty")
	flag.DurationVar(&s.limit, "limit", 475*time.Second, "for everything")
	flag.BoolVar(&s.short, "short", false, "as little of each part as shows that it runs")
	flag.BoolVar(&s.standIn, "stand-in", false, "the GPU is the CPU in its guise: peers compute on the CPU, too")
	flag.BoolVar(&s.list, "list", false, "list the parts and their limits, and do nothing")
	write := flag.String("write", "", "write the section on GPUs of docs/performance.md from this file of records")
	page := flag.String("page", filepath.Join("docs", "performance.md"), "the page that -write changes")
	flag.Parse()
	var err error
	switch {
	case s.list:
		for _, p := range parts(s) {
			fmt.Printf("%-12s %4.0f s at most  %s\n", p.name, p.limit.Seconds(), p.what)
		}
	case *write != "":
		err = writePage(*page, *write)
	default:
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		err = run(ctx, s)
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gpu:", err)
		os.Exit(1)
	}
}

// run runs the parts. The error names those that failed.
func run(ctx context.Context, s settings) error {
	began := time.Now()
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	_ = os.Remove(filepath.Join(s.out, "log.txt")) // of a run before
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	if s.files == "" {
		dir, err := unpack()
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir) //nolint:errcheck // a leftover is only clutter
		s.files = dir
	}
	r, err := newRun(ctx, s)
	if err != nil {
		return err
	}
	defer r.file.Close() //nolint:errcheck // each line was synced
	var together sync.WaitGroup
	for _, p := range parts(s) {
		if s.only != "" && !strings.Contains(","+s.only+",", ","+p.name+",") {
			continue
		}
		if p.together {
			together.Go(func() { r.part(ctx, p) })
			continue
		}
		together.Wait()
		r.part(ctx, p)
	}
	together.Wait()
	fmt.Printf("%.0f s; the table is in %s\n", time.Since(began).Seconds(), filepath.Join(s.out, "table.md"))
	all, err := record.Read(filepath.Join(s.out, resultsName))
	if err != nil {
		return err
	}
	if failed := failedParts(all); len(failed) > 0 {
		return fmt.Errorf("not all parts went well: %s", strings.Join(failed, ", "))
	}
	return nil
}

func failedParts(all []record.Record) (names []string) {
	for _, r := range all {
		if r.Status == "failed" || r.Status == "cut off" {
			names = append(names, fmt.Sprintf("%s (%s)", r.Part, r.Status))
		}
	}
	return names
}
