package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gradbook/gradbook/bench/gpu/record"
)

// resultsName is the file of records.
const resultsName = "results.jsonl"

// part is one of a run.
type part struct {
	name, what string
	limit      time.Duration
	// together with those beside it: nothing is timed in it.
	together bool
	run      func(ctx context.Context, r *running) error
}

// leftOutError is an error of a part that cannot run here, which is no failure.
type leftOutError struct{ why string }

func (e leftOutError) Error() string { return e.why }

// session is a run under way.
type session struct {
	settings
	there *there
	mu    sync.Mutex
	file  *os.File
}

func newRun(ctx context.Context, s settings) (*session, error) {
	f, err := os.Create(filepath.Join(s.out, resultsName))
	if err != nil {
		return nil, err
	}
	t, err := find(ctx, s)
	if err != nil {
		return nil, err
	}
	return &session{settings: s, there: t, file: f}, nil
}

// note keeps a record, and the table that has it.
func (s *session) note(r record.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := r.Write(s.file); err != nil {
		return err
	}
	return s.file.Sync()
}

// log keeps what programs have said beside records.
func (s *session) log(text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := os.OpenFile(filepath.Join(s.out, "log.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// part runs a part and says how it went.
func (s *session) part(ctx context.Context, p part) {
	began := time.Now()
	fmt.Printf("%s …\n", p.name)
	limited, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	r := &running{session: s, part: p.name}
	err := p.run(limited, r)
	end := record.Record{Part: p.name, Status: "ok", Values: map[string]float64{"took_s": time.Since(began).Seconds()}}
	var out leftOutError
	switch {
	case errors.As(err, &out):
		end.Status, end.Note = "left out", out.why
	case err != nil && limited.Err() != nil:
		end.Status, end.Note = "cut off", fmt.Sprintf("after %.0f s", time.Since(began).Seconds())
	case err != nil:
		end.Status, end.Note = "failed", err.Error()
	}
	if err := errors.Join(s.note(end), s.writeTable()); err != nil {
		fmt.Fprintln(os.Stderr, "gpu:", err)
	}
	fmt.Printf("%s: %s, %.1f s %s\n", p.name, end.Status, time.Since(began).Seconds(), end.Note)
}

// running is a part that runs.
type running struct {
	*session
	part string
}

// say keeps a record of the part.
func (r *running) say(rec record.Record) error {
	rec.Part = r.part
	return r.note(rec)
}

// command is a program to run for a part.
type command struct {
	args []string
	env  []string
	dir  string
	// own leaves it the user's cache: it is a program that is set up.
	own bool
	// line gets each line of its output; those that are records are kept by default.
	line func(line string) error
}

// execute runs a program until it or the part's time ends, and returns the records it printed.
func (r *running) execute(ctx context.Context, c command) (all []record.Record, err error) {
	name := filepath.Base(c.args[0])
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), r.there.env...)
	if c.own {
		cmd.Env = append(os.Environ(), r.there.device...)
	}
	cmd.Env = append(cmd.Env, c.env...)
	group(cmd)
	cmd.WaitDelay = 2 * time.Second
	var log, said bytes.Buffer // of its standard error, and of what is no record
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	var kept error
	for lines.Scan() {
		line := lines.Text()
		if c.line != nil {
			kept = errors.Join(kept, c.line(line))
			continue
		}
		var rec record.Record
		if json.Unmarshal([]byte(line), &rec) != nil || rec.Who == "" {
			said.WriteString(line + "\n") // a library has said something
			continue
		}
		all = append(all, rec)
		kept = errors.Join(kept, r.say(rec))
	}
	err = cmd.Wait()
	log.Write(said.Bytes())
	if log.Len() > 0 {
		kept = errors.Join(kept, r.log(fmt.Sprintf("== %s: %s\n%s\n", r.part, strings.Join(c.args, " "), log.Bytes())))
	}
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", name, err, lastLines(log.String(), 400))
	}
	return all, errors.Join(err, kept)
}

// lastLines are the last of a text, on one line.
func lastLines(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = "…" + text[len(text)-most:]
	}
	return text
}

// worker runs the worker.
func (r *running) worker(ctx context.Context, env []string, args ...string) ([]record.Record, error) {
	return r.execute(ctx, command{args: append([]string{filepath.Join(r.files, "worker")}, args...), env: env})
}

// peer runs a program of Python's.
func (r *running) peer(ctx context.Context, script string, args ...string) ([]record.Record, error) {
	path := filepath.Join(r.files, "peers", script)
	args = append([]string{r.there.python, path, "--data", r.there.digits}, args...)
	if r.standIn {
		args = append(args, "--cpu")
	}
	return r.execute(ctx, command{args: args})
}
