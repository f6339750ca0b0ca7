package programs

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	all    = flag.Bool("all", false, "run all programs")
	sample = flag.Int("sample", 8, "how many programs to run")
	seed   = flag.Uint64("seed", 1, "which sample to run")
	only   = flag.String("only", "", "the program to run, or a part of its name")
	onlyBy = flag.String("way", "", "the way to cut it")
	tree   = flag.String("tree", "", "the folder with the programs; by default, that of Go's archive")
	listed = flag.Bool("listed", false, "tell of known differences, too")
)

// known are programs that differ as cells by what they are, with the reasons.
func known(t testing.TB) map[string]string {
	t.Helper()
	f, err := os.Open("testdata/differences.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	reasons := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, rest, ok := strings.Cut(lines.Text(), "\t")
		way, reason, ok2 := strings.Cut(rest, "\t")
		if !ok || !ok2 {
			continue // a heading
		}
		reasons[name+" "+way] = reason
	}
	return reasons
}

// TestPrograms cuts Go's own test programs into cells and compares what these do with
// what the programs do.
func TestPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("programs take a minute; make check")
	}
	dir := *tree
	if dir == "" {
		dir = filepath.Join(runtime.GOROOT(), "test") //nolint:staticcheck // the Go at hand, which the test runs too
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("this Go has no test programs: they come with its archive, not with a toolchain of a module")
	}
	list := choose(programs(t, dir))
	importcfg, err := stdlib()
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(importcfg)
	t.Setenv("STDLIB_IMPORTCFG", importcfg)
	reasons := known(t)
	type result struct{ cut, same int }
	results := map[string]*result{}
	for _, w := range ways {
		results[w.name] = &result{}
	}
	var mu sync.Mutex
	queue := make(chan program)
	var group sync.WaitGroup
	for range max(1, min(runtime.GOMAXPROCS(0), len(list))) {
		n := newNotebook(t, dir)
		group.Go(func() {
			for p := range queue {
				runOne(t, n, p, func(way string, ok bool, detail string) {
					mu.Lock()
					defer mu.Unlock()
					r := results[way]
					r.cut++
					reason := reasons[p.name+" "+way]
					if reason == "" {
						reason = reasons[p.name+" *"]
					}
					switch {
					case ok:
						r.same++
					case reason == "":
						t.Errorf("%s, %s: %s", p.name, way, detail)
					case *listed:
						t.Logf("%s, %s (%s): %s", p.name, way, reason, detail)
					}
				})
			}
		})
	}
	for _, p := range list {
		queue <- p
	}
	close(queue)
	group.Wait()
	for _, w := range ways {
		r := results[w.name]
		if r.cut > 0 {
			t.Logf("%-13s %4d of %4d the same, %.1f %%", w.name, r.same, r.cut, 100*float64(r.same)/float64(r.cut))
		}
	}
}

func choose(list []program) []program {
	if *only != "" {
		return slices.DeleteFunc(list, func(p program) bool { return !strings.Contains(p.name, *only) })
	}
	if *all {
		return list
	}
	r := rand.New(rand.NewPCG(*seed, 0))
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:min(*sample, len(list))]
}

func runOne(t *testing.T, n *notebook, p program, report func(way string, ok bool, detail string)) {
	dir, err := os.MkdirTemp("", "gradbook-program-")
	if err != nil {
		t.Error(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	want, err := asProgram(ctx, dir, p)
	if err != nil {
		t.Logf("%s: it does not run as a program: %v", p.name, err)
		return
	}
	for _, w := range ways {
		if *onlyBy != "" && w.name != *onlyBy {
			continue
		}
		cells, why := w.cut(p)
		if why != "" {
			continue
		}
		for i := range cells { // a cell's file is cell[1] or another number
			cells[i] = strings.ReplaceAll(cells[i], filepath.Base(p.name), "]")
		}
		got, detail, err := n.asCells(ctx, cells)
		if err != nil {
			report(w.name, false, err.Error())
			continue
		}
		report(w.name, same(want, got), difference(want, got, detail))
	}
}

// difference tells two outcomes apart.
func difference(want, got outcome, detail string) string {
	var b strings.Builder
	if want.status != got.status {
		fmt.Fprintf(&b, "expected %q, got %q (%s)", want.status, got.status, short(detail))
	}
	for _, s := range []struct{ name, want, got string }{{"stdout", want.out, got.out}, {"stderr", want.err, got.err}} {
		if s.want != s.got {
			at := 0
			for at < len(s.want) && at < len(s.got) && s.want[at] == s.got[at] {
				at++
			}
			at = max(at-20, 0)
			fmt.Fprintf(&b, "\n    %s: expected …%q, got …%q", s.name, short(s.want[min(at, len(s.want)):]), short(s.got[min(at, len(s.got)):]))
		}
	}
	return b.String()
}

func short(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}
