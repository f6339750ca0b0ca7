package data

import (
	"fmt"
	"iter"
	"sync"
)

// MapExamples sends each example through f, on the host, in several goroutines at a
// time; workers below 1 means one. The order stays. It makes a stream; f is called
// once more, to see what it returns. In an Example that f gets, numbers are flat:
// X is a []float32 for any shape of that type.
func (d *Dataset) MapExamples(workers int, f func(Example) (Example, error)) (*Dataset, error) {
	if d.err != nil {
		return nil, d.err
	}
	if d.source.Steps != nil {
		return nil, fmt.Errorf("data: expected MapExamples before any Map, got it behind one: maps run on the device")
	}
	generate := func() iter.Seq2[Example, error] {
		return func(yield func(Example, error) bool) {
			for e, err := range parallel(max(workers, 1), kept(d.rows()), func(r row) (Example, error) { return f(d.example(r)) }) {
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
	}
	e, err := fromGenerator(d.Len(), generate)
	if err != nil {
		return nil, err
	}
	e.batch, e.names = d.batch, d.names
	return e, nil
}

// kept are rows that stay good after the next.
func kept(rows iter.Seq2[row, error]) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		for r, err := range rows {
			if !yield(r.clone(), err) {
				return
			}
		}
	}
}

// parallel calls f for what comes in, in several goroutines, and yields what it
// returns in order.
func parallel[In, T any](workers int, in iter.Seq2[In, error], f func(In) (T, error)) iter.Seq2[T, error] {
	type result struct {
		value T
		err   error
	}
	started := func(yield func(chan result, error) bool) {
		for r, err := range in {
			if err != nil {
				yield(nil, err)
				return
			}
			c := make(chan result, 1)
			go func() {
				// A panic here would end the program, and nobody could
				// do anything about it.
				defer func() {
					if p := recover(); p != nil {
						c <- result{err: panicked(p)}
					}
				}()
				v, err := f(r)
				c <- result{v, err}
			}()
			if !yield(c, nil) {
				return
			}
		}
	}
	return func(yield func(T, error) bool) {
		for c, err := range ahead(workers, started) {
			r := result{err: err}
			if err == nil {
				r = <-c
			}
			if !yield(r.value, r.err) || r.err != nil {
				return
			}
		}
	}
}

// ahead takes up to n of what comes in before they are wanted, in a goroutine of its
// own, up to the first error.
func ahead[T any](n int, in iter.Seq2[T, error]) iter.Seq2[T, error] {
	type item struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		items, done := make(chan item, n), make(chan struct{})
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer close(items)
			defer func() {
				if p := recover(); p != nil {
					select {
					case items <- item{err: panicked(p)}:
					case <-done:
					}
				}
			}()
			for v, err := range in {
				select {
				case items <- item{v, err}:
				case <-done:
					return
				}
			}
		}()
		defer wg.Wait()
		defer close(done)
		for i := range items {
			if !yield(i.value, i.err) || i.err != nil {
				return
			}
		}
	}
}

// Prefetch reads up to n examples ahead, in a goroutine of its own, while others are
// being used. It makes a stream.
func (d *Dataset) Prefetch(n int) *Dataset {
	return d.stream(d.Len(), ahead(max(n, 1), kept(d.rows())))
}

func panicked(p any) error { return fmt.Errorf("a function of the dataset panicked: %v", p) }
