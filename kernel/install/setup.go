package install

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"

	"github.com/gradbook/gradbook/dl/cache"
)

// step is a part of setup that is done once for each fingerprint.
type step struct {
	name string
	// fingerprint says what the step's result depends on.
	fingerprint func(ctx context.Context) (string, error)
	// always is true of a step that is checked each time, and never stamped.
	always bool
	// present is false if the result is gone although it was made.
	present func() bool
	// run makes the result. It may be stopped at any point, and then run anew.
	run func(ctx context.Context, p *Progress) error
}

// Setup brings everything into the state that notebooks need. What is there is left
// alone, so it can be called at any time; what an interruption left half done is done
// again. Only one setup of a layout runs at a time.
//
// A checkout that cannot be written, as in a container, must be set up already; what is
// missing is an error.
func Setup(ctx context.Context, l Layout, p *Progress) error {
	if err := Ready(ctx, l, p); err != nil {
		return err
	}
	return Rest(ctx, l, p)
}

// Ready does the part of Setup that the first cell needs.
func Ready(ctx context.Context, l Layout, p *Progress) error {
	return ReadyWith(ctx, l, p, func() {})
}

// ReadyWith is Ready, and calls jupyter as soon as Jupyter can be started: a kernel waits for
// the rest by itself.
func ReadyWith(ctx context.Context, l Layout, p *Progress, jupyter func()) error {
	return l.locked(ctx, p, func() bool { return IsReady(l) }, func() error {
		if err := l.runSteps(ctx, p, l.first()); err != nil {
			return err
		}
		// Python's packages are fetched and unpacked while Go's are compiled.
		g, ctx := errgroup.WithContext(ctx)
		for i, lane := range l.lanes() {
			g.Go(func() error {
				if err := l.runSteps(ctx, p, lane); err != nil {
					return err
				}
				if i == 0 {
					jupyter()
				}
				return nil
			})
		}
		return g.Wait()
	})
}

// Rest does the part of Setup that can wait: completion, GoNB, and data.
func Rest(ctx context.Context, l Layout, p *Progress) error {
	return l.locked(ctx, p, func() bool { return IsComplete(l) }, func() error {
		if err := l.runSteps(ctx, p, l.last()); err != nil {
			return err
		}
		return l.sweepInstalled()
	})
}

// IsReady says whether Ready has been done. It does not look for what has changed since:
// a kernel starts with what there is.
func IsReady(l Layout) bool {
	return l.done(l.first()) && !slices.ContainsFunc(l.lanes(), func(lane []step) bool { return !l.done(lane) })
}

// IsComplete says the same of Rest.
func IsComplete(l Layout) bool { return l.done(l.last()) }

func (l Layout) done(steps []step) bool {
	return !slices.ContainsFunc(steps, func(s step) bool { return !s.present() || !exists(l.dir("state", s.name)) && l.writable() && !s.always })
}

// locked runs f as the only setup of the layout, unless another that runs has done it.
func (l Layout) locked(ctx context.Context, p *Progress, done func() bool, f func() error) error {
	if !l.writable() {
		return f()
	}
	if err := os.MkdirAll(l.dir(), 0o755); err != nil {
		return err
	}
	lock := flock.New(l.dir("setup.lock"))
	locked, err := lock.TryLock()
	if err == nil && !locked {
		p.Warn("another setup is running here; waiting for it")
		for !locked && err == nil {
			select {
			case <-ctx.Done():
				err = ctx.Err()
			case <-time.After(pollLock):
				if done() { // it goes on with what nobody waits for here
					return nil
				}
				locked, err = lock.TryLock()
			}
		}
	}
	if err != nil {
		return fmt.Errorf("cannot lock %s: %w", lock.Path(), err)
	}
	defer lock.Unlock() //nolint:errcheck // the process ends, and the lock with it
	return f()
}

func (l Layout) runSteps(ctx context.Context, p *Progress, steps []step) error {
	for _, s := range steps {
		if err := s.do(ctx, l, p); err != nil {
			return fmt.Errorf("setup: %s: %w", s.name, err)
		}
	}
	return nil
}

// first are the steps without which no other can be done.
func (l Layout) first() []step { return []step{l.requirements(), l.program()} }

// lanes are lists of steps of which none needs another list's; the first has all that
// Jupyter needs.
func (l Layout) lanes() [][]step {
	if l.Shipped != "" { // Jupyter's part is in the wheel
		return [][]step{{l.kernelspec(), l.plugin(), l.cuda()}, {l.workspace()}}
	}
	return [][]step{
		{l.python(), l.kernelspec(), l.labextension(), l.papermill(), l.export(), l.settings(), l.plugin(), l.cuda()},
		{l.workspace()},
	}
}

// last are the steps that can wait.
func (l Layout) last() []step {
	if l.Shipped != "" {
		return []step{l.modules(), l.mnist()}
	}
	return []step{l.tools(), l.mnist()}
}

func (s step) do(ctx context.Context, l Layout, p *Progress) error {
	want, err := s.fingerprint(ctx)
	if err != nil {
		return err
	}
	stamp := l.dir("state", s.name)
	if got, err := os.ReadFile(stamp); err == nil && string(got) == want && s.present() {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if !l.writable() {
		if s.present() {
			return nil // made under other circumstances; it serves
		}
		return fmt.Errorf("it is due, but %s cannot be written; set it up as a user who may: %s setup", l.dir(), l.Program("gradbook"))
	}
	p = p.begin(s.name)
	// A step that fails half way must not look as if it had been done.
	if err := os.Remove(stamp); err != nil && !os.IsNotExist(err) {
		p.end("✗")
		return err
	}
	if err := s.run(ctx, p); err != nil {
		p.end("✗")
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted; run it again to go on: %w", ctx.Err())
		}
		return err
	}
	p.end("✓")
	return cache.WriteFile(stamp, []byte(want), 0o644)
}

// fingerprint hashes texts and the contents of files.
func fingerprint(texts []string, files ...string) (string, error) {
	h := sha256.New()
	for _, t := range texts {
		fmt.Fprintf(h, "%d %s\n", len(t), t)
	}
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%d ", len(content))
		h.Write(content)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func exists(paths ...string) bool {
	for _, p := range paths {
		if _, err := os.Stat(p); err != nil {
			return false
		}
	}
	return true
}

// always is a step that is checked every time and never stamped as done.
func always(name string, check func(ctx context.Context, p *Progress) error) step {
	return step{
		name:        name,
		always:      true,
		fingerprint: func(ctx context.Context) (string, error) { return "", check(ctx, nil) },
		present:     func() bool { return true },
		run:         func(context.Context, *Progress) error { return nil },
	}
}

// program puts this program where the kernelspec and the cells' go command
// expect it.
func (l Layout) program() step {
	target, link := l.Program("gradbook"), filepath.Join(l.Toolchain(), executable("go"))
	exe, exeErr := os.Executable()
	return step{
		name: "program",
		fingerprint: func(context.Context) (string, error) {
			if exeErr != nil {
				return "", exeErr
			}
			info, err := os.Stat(exe)
			if err != nil {
				return "", err
			}
			return fingerprint([]string{exe, info.ModTime().String(), fmt.Sprint(info.Size())})
		},
		present: func() bool { return exists(target, link) },
		run: func(context.Context, *Progress) error {
			if !sameFile(exe, target) {
				if l.Shipped != "" {
					return fmt.Errorf("%s: expected it to be the wheel's program, got %s", exe, target)
				}
				if err := copyFile(target, exe); err != nil {
					return err
				}
			}
			if err := os.MkdirAll(l.Toolchain(), 0o755); err != nil {
				return err
			}
			if err := os.Remove(link); err != nil && !os.IsNotExist(err) {
				return err
			}
			// A relative link survives a move of the checkout.
			rel, err := filepath.Rel(l.Toolchain(), target)
			if err == nil && os.Symlink(rel, link) == nil {
				return nil
			}
			return copyFile(link, target)
		},
	}
}

func sameFile(a, b string) bool {
	ia, errA := os.Stat(a)
	ib, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(ia, ib)
}

func copyFile(dst, src string) error {
	f, err := os.Open(src)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read from
	return cache.Write(dst, 0o755, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
}
