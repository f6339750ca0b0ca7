// Export measures networks that dl/export wrote as Go beside Predict by XLA, in one run and in turn: one image,
// 10,000 of them, and how large a program with the network is.
//
//	make bench-export
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gradbook/gradbook/bench/networks"
	"github.com/gradbook/gradbook/bench/page"
	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/export"
	"github.com/gradbook/gradbook/dl/tensor"
)

// many is how many images are predicted at once.
const many = 10000

func main() {
	rounds := flag.Int("rounds", 3, "how often each is measured, in turn")
	only := flag.String("networks", "cnn,mlp,lstm,encoder", "comma-separated networks")
	to := flag.String("write", "", "write the table into this page, between its marks")
	flag.Parse()
	text, err := table(strings.Split(*only, ","), *rounds)
	if err == nil {
		fmt.Print(text)
		if *to != "" {
			err = page.Write(*to, "make bench-export", text)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/export:", err)
		os.Exit(1)
	}
}

func table(names []string, rounds int) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "Predictions of MNIST's images, in milliseconds; the best of %d rounds on %d processors of %s.\n\n", rounds, runtime.NumCPU(), runtime.GOARCH)
	b.WriteString("| network | one image: exported | XLA | 10,000: exported | XLA | exported / XLA | program, MB | with int8, MB |\n|---|---|---|---|---|---|---|---|\n")
	for _, name := range names {
		r, err := measure(name, rounds)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(&b, "| %s | %.3f | %.3f | %.0f | %.0f | %.2f | %.1f | %.1f |\n", name, r.ours.One, r.xla.One, r.ours.Many, r.xla.Many, r.ours.Many/r.xla.Many, r.size, r.small)
	}
	return b.String(), nil
}

// times are milliseconds.
type times struct{ One, Many float64 }

func (t times) best(o times) times { return times{min(t.One, o.One), min(t.Many, o.Many)} }

type result struct {
	ours, xla   times
	size, small float64
}

func measure(name string, rounds int) (result, error) {
	dl.SetRandomSeed(1)
	m, err := networks.New(name)
	if err != nil {
		return result{}, err
	}
	dir, err := os.MkdirTemp("", "bench-export-*")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover is only clutter
	var r result
	program := filepath.Join(dir, "floats", "bench")
	if r.size, err = build(m, filepath.Dir(program), false); err != nil {
		return r, err
	}
	if r.small, err = build(m, filepath.Join(dir, "int8"), true); err != nil {
		return r, err
	}
	for i := range rounds {
		ours, err := run(program)
		if err != nil {
			return r, err
		}
		xla, err := predict(m)
		if err != nil {
			return r, err
		}
		if i == 0 {
			r.ours, r.xla = ours, xla
		}
		r.ours, r.xla = r.ours.best(ours), r.xla.best(xla)
	}
	return r, nil
}

// timer is a program that times a network.
const timer = `package main

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"netbench/net"
)

func main() {
	x := make([]float32, 784*%d)
	for i := range x {
		x[i] = rand.Float32()
	}
	predict := func(n int) {
		if _, err := net.Predict(x[:784*n]); err != nil {
			panic(err)
		}
	}
	median := func(n, times int) float64 {
		var all []float64
		for range times {
			start := time.Now()
			predict(n)
			all = append(all, time.Since(start).Seconds()*1000)
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	predict(1)
	json.NewEncoder(os.Stdout).Encode(map[string]float64{"One": median(1, 501), "Many": median(%[1]d, 3)})
}
`

// build exports a network and builds the program, whose size in MB it returns.
func build(m *dl.Model, dir string, small bool) (float64, error) {
	err := export.Save(m, filepath.Join(dir, "net"), export.Config{Package: "net", Int8: small})
	if err != nil {
		return 0, err
	}
	if err := os.Remove(filepath.Join(dir, "net", "go.mod")); err != nil {
		return 0, err
	}
	for name, content := range map[string]string{"go.mod": "module netbench\n\ngo 1.24\n", "main.go": fmt.Sprintf(timer, many)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return 0, err
		}
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", "bench", ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, out)
	}
	s, err := os.Stat(filepath.Join(dir, "bench"))
	if err != nil {
		return 0, err
	}
	return float64(s.Size()) / 1e6, nil
}

func run(program string) (t times, err error) {
	out, err := exec.Command(program).Output()
	if err != nil {
		return t, err
	}
	return t, json.Unmarshal(out, &t)
}

// predict times XLA in this process.
func predict(m *dl.Model) (t times, err error) {
	median := func(n, rounds int) (float64, error) {
		x := make([]float32, 784*n)
		for i := range x {
			x[i] = rand.Float32()
		}
		batch := tensor.New(x, n, 28, 28, 1)
		var all []float64
		for i := range rounds + 1 {
			start := time.Now()
			if _, err := m.PredictOnBatch(batch); err != nil {
				return 0, err
			}
			if i > 0 { // the first one compiles
				all = append(all, time.Since(start).Seconds()*1000)
			}
		}
		slices.Sort(all)
		return all[len(all)/2], nil
	}
	if t.One, err = median(1, 501); err != nil {
		return t, err
	}
	portion, err := median(1000, 3)
	t.Many = portion * many / 1000
	return t, err
}
