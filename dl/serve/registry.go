package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Loader makes a model of a file.
type Loader func(path string) (Model, error)

// loaded is a version of a model that is served.
type loaded struct {
	name, version, path string
	described           Description
	batcher             *batcher
	generator           *generator // nil if the model is none of language
	file                fileState
	users               users
}

// fileState is how a change of a file is noticed.
type fileState struct {
	size     int64
	modified time.Time
	inode    uint64
}

// versions are those of one model, from the oldest to the newest.
type versions struct{ all []*loaded }

// registry is the models that are served. What a request has found stays until it is done, so
// a file that is replaced is served as it was or as it is, never half of each.
type registry struct {
	load    Loader
	batch   BatchConfig
	stats   *stats
	log     *slog.Logger
	mu      sync.Mutex // of those who change it
	models  atomic.Pointer[map[string]*versions]
	sources []source
	own     []*loaded         // of the program itself
	failed  map[string]string // what could not be loaded, by path
}

// source is where a model comes from: a file, or a folder of versions.
type source struct{ name, path string }

// sourceOf is what an argument names: PATH or NAME=PATH.
func sourceOf(arg string) (source, error) {
	name, path, ok := strings.Cut(arg, "=")
	if !ok {
		path = arg
		base := filepath.Base(path)
		name = strings.TrimSuffix(base, filepath.Ext(base))
	}
	if name == "" || strings.ContainsAny(name, "/ ") {
		return source{}, fmt.Errorf("%s: expected a name without / and blanks", arg)
	}
	return source{name, path}, nil
}

// files are the files of a source by their versions.
func (s source) files() (map[string]string, error) {
	info, err := os.Stat(s.path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return map[string]string{"1": s.path}, nil
	}
	entries, err := os.ReadDir(s.path)
	if err != nil {
		return nil, err
	}
	files := make(map[string]string)
	for _, e := range entries {
		if v, err := strconv.Atoi(e.Name()); err != nil || v < 1 || !e.IsDir() {
			continue
		}
		for _, name := range []string{"model.keras", "model.onnx"} {
			path := filepath.Join(s.path, e.Name(), name)
			if _, err := os.Stat(path); err == nil {
				files[e.Name()] = path
			}
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: expected a file of a model, or a folder of versions with 1/model.keras or 1/model.onnx", s.path)
	}
	return files, nil
}

func stateOf(path string) (fileState, error) {
	info, err := os.Stat(path)
	if err != nil {
		return fileState{}, err
	}
	return fileState{info.Size(), info.ModTime(), inode(info)}, nil
}

// get finds a model, the newest version if none is named; release must be called after its use.
func (r *registry) get(name, version string) (l *loaded, release func(), err error) {
	for {
		l, err = r.find(name, version)
		if err != nil {
			return nil, nil, err
		}
		if l.users.enter() {
			return l, l.users.leave, nil
		}
	}
}

func (r *registry) find(name, version string) (*loaded, error) {
	v := (*r.models.Load())[name]
	if v == nil {
		return nil, &statusError{404, fmt.Errorf("there is no model %q", name)}
	}
	if version == "" {
		return v.all[len(v.all)-1], nil
	}
	at := slices.IndexFunc(v.all, func(l *loaded) bool { return l.version == version })
	if at < 0 {
		return nil, &statusError{404, fmt.Errorf("model %q has no version %q", name, version)}
	}
	return v.all[at], nil
}

// refresh loads what is new or changed, and forgets what is gone. A file that cannot be loaded
// leaves what was served.
func (r *registry) refresh(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := *r.models.Load()
	models := make(map[string]*versions)
	for _, l := range r.own {
		models[l.name] = &versions{[]*loaded{l}}
	}
	var all []error
	failed := make(map[string]string)
	for _, s := range r.sources {
		files, err := s.files()
		if err != nil {
			all = append(all, err)
			failed[s.path] = err.Error()
			if v := old[s.name]; v != nil {
				models[s.name] = v
			}
			continue
		}
		v := &versions{}
		for version, path := range files {
			l, err := r.fresh(ctx, old[s.name], s.name, version, path)
			if err != nil {
				all = append(all, fmt.Errorf("%s: %w", path, err))
				failed[path] = err.Error()
			}
			if l != nil {
				v.all = append(v.all, l)
			}
		}
		slices.SortFunc(v.all, func(a, b *loaded) int { return number(a.version) - number(b.version) })
		if len(v.all) > 0 {
			models[s.name] = v
		}
	}
	r.failed = failed
	r.models.Store(&models)
	for _, v := range old {
		for _, l := range v.all {
			if now := models[l.name]; now == nil || !slices.Contains(now.all, l) {
				go l.retire()
			}
		}
	}
	return errors.Join(all...)
}

// keep takes models in that the program has itself.
func (r *registry) keep(ctx context.Context, models map[string]Model, names map[string]bool) error {
	for name, m := range models {
		if names[name] {
			return fmt.Errorf("two models are called %q", name)
		}
		l, err := r.open(ctx, name, "1", m)
		if err != nil {
			return fmt.Errorf("model %q: %w", name, err)
		}
		r.own = append(r.own, l)
	}
	return nil
}

func number(version string) int {
	n, _ := strconv.Atoi(version)
	return n
}

// fresh is a version as its file is now: the one that is served, if the file is the same, or
// if what it has become cannot be loaded.
func (r *registry) fresh(ctx context.Context, old *versions, name, version, path string) (*loaded, error) {
	var current *loaded
	if old != nil {
		for _, l := range old.all {
			if l.version == version {
				current = l
			}
		}
	}
	state, err := stateOf(path)
	if err != nil {
		return current, err
	}
	if current != nil && current.path == path && current.file == state {
		return current, nil
	}
	start := time.Now()
	m, err := r.load(path)
	if err != nil {
		return current, err
	}
	l, err := r.open(ctx, name, version, m)
	if err != nil {
		return current, err
	}
	// The file may have changed meanwhile: the next look at it finds out.
	l.path, l.file = path, state
	r.log.Info("model loaded", "model", name, "version", version, "file", path, "seconds", time.Since(start).Seconds())
	return l, nil
}

// open has a model predict, so that it is warm, and gives it a queue.
func (r *registry) open(ctx context.Context, name, version string, m Model) (*loaded, error) {
	l := &loaded{name: name, version: version, described: m.Describe()}
	if err := warm(ctx, m); err != nil {
		return nil, fmt.Errorf("cannot predict: %w", err)
	}
	l.batcher = newBatcher(m, r.batch, r.stats.of(name, version), r.log)
	l.generator = newGenerator(l, m)
	return l, nil
}

// warm computes zeros in every size that the model is quick for, so that no request waits for
// what is compiled.
func warm(ctx context.Context, m Model) error {
	sizes := []int{1}
	if p, ok := m.(Padded); ok {
		sizes = p.Sizes()
	}
	d := m.Describe()
	for _, n := range sizes {
		inputs := make([]Tensor, len(d.Inputs))
		for i, p := range d.Inputs {
			inputs[i] = Tensor{append([]int{n}, p.Shape...), make([]float32, n*p.size())}
		}
		if _, err := m.Predict(ctx, inputs); err != nil {
			return err
		}
	}
	return nil
}

// retire ends a version that is no longer found once nobody uses it.
func (l *loaded) retire() {
	l.users.end()
	l.batcher.close()
}

// users are those who use something that ends when the last one has left.
type users struct {
	mu    sync.Mutex
	n     int
	ended bool
	empty chan struct{}
}

// enter says whether it can still be used.
func (u *users) enter() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.ended {
		u.n++
	}
	return !u.ended
}

func (u *users) leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n--; u.n == 0 && u.ended {
		close(u.empty)
	}
}

// end lets nobody in any more, and waits until all have left.
func (u *users) end() {
	u.mu.Lock()
	u.ended, u.empty = true, make(chan struct{})
	if u.n == 0 {
		close(u.empty)
	}
	u.mu.Unlock()
	<-u.empty
}

// watch refreshes until a context ends.
func (r *registry) watch(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		text := ""
		if err := r.refresh(ctx); err != nil {
			text = err.Error()
		}
		if text != "" && text != last {
			r.log.Error("a model could not be loaded; what was served still is", "error", text)
			r.stats.loadErrors.Inc()
		}
		last = text
	}
}
