package plain

import (
	"runtime"
	"sync"
)

// together is how many examples are computed at a time: enough for the tiles of a product,
// few enough for a processor's own memory.
const together = 8

var memories = sync.Pool{New: func() any { return new(memory) }}

// alone runs a computation with memory of its own.
func alone(f func(m *memory)) (err error) {
	m := memories.Get().(*memory)
	defer memories.Put(m)
	defer recovered(&err)
	f(m)
	return nil
}

// batches runs a computation for parts of n examples, on as many processors as Go may use.
func batches(n int, f func(m *memory, from, to int)) error {
	workers := runtime.GOMAXPROCS(0)
	part := max(1, min(together, n/workers))
	parts := (n + part - 1) / part
	workers = min(parts, workers)
	if workers <= 1 {
		return alone(func(m *memory) {
			for from := 0; from < n; from += part {
				f(m, from, min(n, from+part))
			}
		})
	}
	var next, done sync.Mutex
	var wait sync.WaitGroup
	var failed error
	at := 0
	for range workers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			err := alone(func(m *memory) {
				for {
					next.Lock()
					from := at
					at += part
					next.Unlock()
					if from >= n {
						return
					}
					f(m, from, min(n, from+part))
				}
			})
			if err != nil {
				done.Lock()
				failed = err
				done.Unlock()
			}
		}()
	}
	wait.Wait()
	return failed
}

// examples is how many examples of a size there are.
func examples(name string, n, size int) (int, error) {
	if size == 0 || n%size != 0 {
		return 0, failure{text("%s: expected %d numbers for each example, got %d", name, size, n)}
	}
	return n / size, nil
}
