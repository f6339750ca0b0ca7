package engine

import (
	"time"

	"github.com/gomlx/compute"

	"github.com/gradbook/gradbook/dl/internal/plugin"
)

// A device that is waited for after each program has nothing to do until it gets the next
// one: on a GPU, where a step may take a tenth of a millisecond, for a good part of the
// time. So a loop may be some programs ahead.

const (
	// maxAhead is how many programs a device has at most.
	maxAhead = 4
	// slow is how long a program takes for which one at a time will do: a loop that is
	// interrupted has to wait for those under way.
	slow = 50 * time.Millisecond
)

// Queue holds the programs that a loop has begun, in order.
type Queue struct {
	running []running
	took    time.Duration // the last that ended, about
	last    time.Time     // when it ended
}

type running struct {
	program *Program
	pending *plugin.Pending
	n       int
	began   time.Time
}

// LateError says which program failed, of those that a loop had begun.
type LateError struct {
	// N is the program's number, as Run was given it.
	N int
	// Err is the device's error.
	Err error
}

func (e *LateError) Error() string { return e.Err.Error() }

// Unwrap returns the device's error.
func (e *LateError) Unwrap() error { return e.Err }

// Run executes a program, without waiting for it. n is the caller's number for it. An error
// may be of a program before: then it is a *LateError. After an error nothing is under way.
func (q *Queue) Run(p *Program, in []compute.Buffer, n int) (out []compute.Buffer, err error) {
	if p.device.Loaded == nil || len(p.device.Nums) > 1 { // devices that wait for each other are waited for
		return p.Run(in)
	}
	began := time.Now()
	pending, err := p.device.Loaded.Ahead(func() (err error) {
		out, err = p.Run(in)
		return err
	})
	if err != nil {
		if earlier := q.Wait(); earlier != nil { // it failed for want of what one before should have made
			err = earlier
		}
		return nil, err
	}
	q.running = append(q.running, running{p, pending, n, began})
	for len(q.running) > q.limit() || len(q.running) > 0 && q.running[0].pending.Done() {
		if err := q.wait(); err != nil {
			_ = q.Wait() // what came after it failed with it
			Free(out...)
			return nil, err
		}
	}
	return out, nil
}

// limit is how many may be under way: one, until it is known how long they take.
func (q *Queue) limit() int {
	if q.took == 0 || q.took > slow {
		return 1
	}
	return maxAhead
}

// wait waits for the oldest program.
func (q *Queue) wait() error {
	r := q.running[0]
	q.running = q.running[1:]
	err := shortage(r.program.device, r.pending.Wait())
	now := time.Now()
	q.took = max(now.Sub(later(r.began, q.last)), 1)
	q.last = now
	if err != nil {
		return &LateError{r.n, err}
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Wait waits for all programs and returns the first error.
func (q *Queue) Wait() (first error) {
	for len(q.running) > 0 {
		if err := q.wait(); first == nil {
			first = err
		}
	}
	return first
}
