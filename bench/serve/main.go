// Serve measures services of the document's network: ours with XLA, ours as a static program, and KServe's own
// server with onnxruntime, in one run and in turn, by wrk over loopback. Each request is one digit in JSON.
//
//	make bench-serve
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/gradbook/gradbook/bench/networks"
	"github.com/gradbook/gradbook/bench/page"
	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/export"
	"github.com/gradbook/gradbook/dl/onnx"
	"github.com/gradbook/gradbook/kernel/install"
)

// peers are what KServe's server needs.
var peers = []string{"kserve==0.21.0", "onnxruntime==1.32.0"}

const address = "127.0.0.1:9180"

func main() {
	seconds := flag.Int("seconds", 10, "how long each is asked")
	rounds := flag.Int("rounds", 3, "how often each is measured, in turn")
	to := flag.String("write", "", "write the table into this page, between its marks")
	flag.Parse()
	text, err := table(*seconds, *rounds)
	if err == nil {
		fmt.Print(text)
		if *to != "" {
			err = page.Write(*to, "make bench-serve", text)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/serve:", err)
		os.Exit(1)
	}
}

// service is a command that serves at address.
type service struct {
	name string
	args []string
	best result
}

type result struct {
	perSecond    float64
	middle, high string
}

func table(seconds, rounds int) (string, error) {
	if _, err := exec.LookPath("wrk"); err != nil {
		return "", fmt.Errorf("expected wrk, which Debian has: %w", err)
	}
	dir, err := os.MkdirTemp("", "bench-serve-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover is only clutter
	all, err := services(dir)
	if err != nil {
		return "", err
	}
	for range rounds {
		for i := range all {
			r, err := all[i].measure(dir, seconds)
			if err != nil {
				return "", fmt.Errorf("%s: %w", all[i].name, err)
			}
			if r.perSecond > all[i].best.perSecond {
				all[i].best = r
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Requests of one digit as JSON, 32 connections, by wrk on the same machine; the best of %d rounds of %d s.\n\n", rounds, seconds)
	b.WriteString("| service | requests a second | half within | 99 % within | times KServe's |\n|---|---|---|---|---|\n")
	theirs := all[len(all)-1].best.perSecond
	for _, s := range all {
		fmt.Fprintf(&b, "| %s | %.0f | %s | %s | %.1f |\n", s.name, s.best.perSecond, s.best.middle, s.best.high, s.best.perSecond/theirs)
	}
	return b.String(), nil
}

// services makes a model in all forms, and the commands that serve it.
func services(dir string) ([]service, error) {
	l, err := install.Find(".")
	if err != nil {
		return nil, err
	}
	dl.SetRandomSeed(1)
	m, err := networks.New("cnn")
	if err != nil {
		return nil, err
	}
	keras, file := filepath.Join(dir, "digits.keras"), filepath.Join(dir, "digits.onnx")
	if err := m.Save(keras); err != nil {
		return nil, err
	}
	if err := onnx.Save(m, file); err != nil {
		return nil, err
	}
	if err := export.Save(m, filepath.Join(dir, "digits"), export.Config{Format: export.Service}); err != nil {
		return nil, err
	}
	program, err := l.BuildModule(context.Background(), install.NewProgress(os.Stderr), "dl/serve", "serve")
	if err != nil {
		return nil, err
	}
	venv := filepath.Join(l.State, "kserve")
	python := filepath.Join(venv, "bin", "python")
	if _, err := os.Stat(python); err != nil {
		if out, err := exec.Command("python3", "-m", "venv", venv).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w\n%s", err, out)
		}
	}
	if out, err := exec.Command(python, append([]string{"-m", "pip", "install", "-q"}, peers...)...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	input, _, _ := m.Inputs()[0].Origin()
	return []service{
		{name: "gradbook serve, XLA", args: []string{program, "-http", address, "-grpc", "-", keras}},
		{name: "exported service, Go", args: []string{filepath.Join(dir, "digits", "bin", "digits"), "-http", address, "-grpc", "-"}},
		{name: "KServe 0.21, onnxruntime", args: []string{python, "bench/serve/kserve_server.py", file, "9180"}},
	}, script(dir, input.Name())
}

// script writes what wrk sends.
func script(dir, input string) error {
	x := make([]float32, 784)
	for i := range x {
		x[i] = float32(rand.IntN(256)) / 255
	}
	body, err := json.Marshal(map[string]any{"inputs": []any{map[string]any{"name": input, "datatype": "FP32", "shape": []int{1, 28, 28, 1}, "data": x}}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "body"), body, 0o600); err != nil {
		return err
	}
	lua := fmt.Sprintf("wrk.method = 'POST'\nwrk.body = io.open(%q):read('*a')\nwrk.headers['Content-Type'] = 'application/json'\n", filepath.Join(dir, "body"))
	return os.WriteFile(filepath.Join(dir, "post.lua"), []byte(lua), 0o600)
}

var figures = regexp.MustCompile(`(?s)50%\s+(\S+).*99%\s+(\S+).*Requests/sec:\s+([\d.]+)`)

// measure starts a service, asks it, and ends it.
func (s service) measure(dir string, seconds int) (r result, err error) {
	var said bytes.Buffer
	cmd := exec.Command(s.args[0], s.args[1:]...)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		return r, err
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}()
	url := "http://" + address + "/v2/models/digits"
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if answer, err := http.Get(url + "/ready"); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(end) {
			return r, fmt.Errorf("it is not ready after a minute\n%s", said.Bytes())
		}
	}
	run := func(seconds int) ([]byte, error) {
		return exec.Command("wrk", "-t1", "-c32", fmt.Sprintf("-d%ds", seconds), "--latency", "-s", filepath.Join(dir, "post.lua"), url+"/infer").Output()
	}
	if _, err := run(2); err != nil {
		return r, err
	}
	out, err := run(seconds)
	if err != nil {
		return r, err
	}
	f := figures.FindSubmatch(out)
	if f == nil || bytes.Contains(out, []byte("Non-2xx")) {
		return r, fmt.Errorf("expected answers, got %s", out)
	}
	r.middle, r.high = string(f[1]), string(f[2])
	_, err = fmt.Sscan(string(f[3]), &r.perSecond)
	return r, err
}
