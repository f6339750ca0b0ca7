package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// errBusy is what a request gets that finds the queue full, errClosed after the end.
var (
	errBusy   = errors.New("the queue of requests is full; try again later")
	errClosed = errors.New("the model is being unloaded")
)

// batcher has a model compute the requests that wait together: as soon as the model is free, it
// gets all of them, up to a number of examples. So a batch grows with the load, and a request
// that comes alone does not wait for others.
type batcher struct {
	model Model
	BatchConfig
	stats *modelStats
	log   *slog.Logger

	queue  chan *job
	closed chan struct{}
	once   sync.Once
	done   chan struct{}
	left   *job // what the last batch had no room for
}

// BatchConfig says how requests are computed together.
type BatchConfig struct {
	// Size is how many examples a batch has at most; 0 means 64.
	Size int
	// Delay is how long a batch waits for further requests when the model is free; 0 means
	// not at all.
	Delay time.Duration
	// Queue is how many requests may wait; 0 means 4096. What comes then is refused with
	// status 503.
	Queue int
}

// job is a request, or a part of one.
type job struct {
	ctx    context.Context
	inputs []Tensor
	n      int
	since  time.Time
	result chan outcome
}

type outcome struct {
	outputs        []Tensor
	err            error
	queued, worked time.Duration
}

func newBatcher(m Model, c BatchConfig, stats *modelStats, log *slog.Logger) *batcher {
	if c.Size <= 0 {
		c.Size = 64
	}
	if c.Queue <= 0 {
		c.Queue = 4096
	}
	if p, ok := m.(Padded); ok {
		if sizes := p.Sizes(); len(sizes) > 0 {
			c.Size = min(c.Size, sizes[len(sizes)-1])
		}
	}
	b := &batcher{model: m, BatchConfig: c, stats: stats, log: log, queue: make(chan *job, c.Queue), closed: make(chan struct{}), done: make(chan struct{})}
	go b.loop()
	return b
}

// close lets what waits be computed, then ends.
func (b *batcher) close() {
	b.once.Do(func() { close(b.closed) })
	<-b.done
}

// predict computes a request's examples, of which there are n.
func (b *batcher) predict(ctx context.Context, d Description, inputs []Tensor, n int) (outcome, error) {
	if n <= b.Size {
		return b.part(ctx, inputs, n)
	}
	var all outcome
	for from := 0; from < n; from += b.Size {
		to := min(n, from+b.Size)
		part := make([]Tensor, len(inputs))
		for i, t := range inputs {
			size := d.Inputs[i].size()
			part[i] = Tensor{append([]int{to - from}, t.Shape[1:]...), t.Data[from*size : to*size]}
		}
		o, err := b.part(ctx, part, to-from)
		if err != nil {
			return o, err
		}
		if all.outputs == nil {
			all = o
			continue
		}
		all.queued, all.worked = all.queued+o.queued, all.worked+o.worked
		for i := range all.outputs {
			t := &all.outputs[i]
			t.Shape[0] += to - from
			t.Data = append(t.Data, o.outputs[i].Data...)
		}
	}
	return all, nil
}

func (b *batcher) part(ctx context.Context, inputs []Tensor, n int) (outcome, error) {
	j := &job{ctx: ctx, inputs: inputs, n: n, since: time.Now(), result: make(chan outcome, 1)}
	select {
	case <-b.closed:
		return outcome{}, errClosed
	default:
	}
	select {
	case b.queue <- j:
	default:
		return outcome{}, errBusy
	}
	select {
	case o := <-j.result:
		return o, o.err
	case <-ctx.Done():
		return outcome{}, ctx.Err()
	case <-b.done:
		select { // it may have been the last one
		case o := <-j.result:
			return o, o.err
		default:
			return outcome{}, errClosed
		}
	}
}

func (b *batcher) loop() {
	defer close(b.done)
	for {
		jobs := b.next()
		if jobs == nil {
			return
		}
		b.compute(jobs)
	}
}

// next are the requests of the next batch; nil at the end.
func (b *batcher) next() []*job {
	var jobs []*job
	n := 0
	add := func(j *job) bool {
		if j.ctx.Err() != nil { // who asked has gone
			return true
		}
		if n+j.n > b.Size {
			b.left = j
			return false
		}
		jobs, n = append(jobs, j), n+j.n
		return true
	}
	if j := b.left; j != nil {
		b.left = nil
		add(j)
	}
	for len(jobs) == 0 {
		select {
		case j := <-b.queue:
			add(j)
			continue
		default:
		}
		select {
		case j := <-b.queue:
			add(j)
		case <-b.closed:
			select {
			case j := <-b.queue:
				add(j)
			default:
				return nil
			}
		}
	}
	for n < b.Size {
		select {
		case j := <-b.queue:
			if !add(j) {
				return jobs
			}
			continue
		default:
		}
		if b.Delay <= 0 || !b.wait(jobs[0].since.Add(b.Delay), add) {
			return jobs
		}
	}
	return jobs
}

// wait waits for a further request, up to a time.
func (b *batcher) wait(until time.Time, add func(*job) bool) bool {
	left := time.Until(until)
	if left <= 0 {
		return false
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case j := <-b.queue:
		return add(j)
	case <-timer.C:
	case <-b.closed:
	}
	return false
}

// compute computes a batch and hands its parts out.
func (b *batcher) compute(jobs []*job) {
	start := time.Now()
	n := 0
	for _, j := range jobs {
		n += j.n
	}
	outputs, err := b.together(jobs, n)
	if err != nil && len(jobs) > 1 { // one of them may be to blame: the others are not
		for _, j := range jobs {
			b.compute([]*job{j})
		}
		return
	}
	worked := time.Since(start)
	b.stats.batch(n, worked)
	at := 0
	for _, j := range jobs {
		o := outcome{err: err, queued: start.Sub(j.since), worked: worked}
		if err == nil {
			o.outputs = make([]Tensor, len(outputs))
			for i, t := range outputs {
				size := len(t.Data) / t.Shape[0]
				part := t.Data[at*size : (at+j.n)*size : (at+j.n)*size]
				o.outputs[i] = Tensor{append([]int{j.n}, t.Shape[1:]...), part}
			}
		}
		at += j.n
		j.result <- o
	}
}

// together joins the inputs of requests, filled up to a size that the model is quick for.
func (b *batcher) together(jobs []*job, n int) (outputs []Tensor, err error) {
	defer func() {
		if r := recover(); r != nil {
			b.log.Error("the model panicked", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = fmt.Errorf("the model panicked: %v", r)
		}
	}()
	filled := n
	if p, ok := b.model.(Padded); ok {
		for _, s := range p.Sizes() {
			if s >= n {
				filled = s
				break
			}
		}
	}
	inputs := jobs[0].inputs
	if len(jobs) > 1 || filled != n {
		inputs = make([]Tensor, len(jobs[0].inputs))
		for i, first := range jobs[0].inputs {
			size := len(first.Data) / jobs[0].n
			t := Tensor{append([]int{filled}, first.Shape[1:]...), make([]float32, 0, filled*size)}
			for _, j := range jobs {
				t.Data = append(t.Data, j.inputs[i].Data...)
			}
			t.Data = t.Data[:filled*size]
			inputs[i] = t
		}
	}
	outputs, err = b.model.Predict(context.Background(), inputs)
	if err != nil {
		return nil, err
	}
	for _, t := range outputs {
		if len(t.Shape) == 0 || t.Shape[0] != filled || len(t.Data)%filled != 0 {
			return nil, fmt.Errorf("the model returned shape %v for %d examples", t.Shape, filled)
		}
	}
	return outputs, nil
}
