package main

import (
	"context"
	"errors"
	"time"

	"github.com/gradbook/gradbook/bench/gpu/record"
)

// sampled calls f and says how much of the GPU's memory was in use at most meanwhile, beyond
// what was before.
func (r *running) sampled(ctx context.Context, who string, f func() error) error {
	before, err := queryGPU(ctx)
	if err != nil {
		return err
	}
	most := before.usedMB
	stop, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(500 * time.Millisecond):
				if now, err := queryGPU(ctx); err == nil {
					most = max(most, now.usedMB)
				}
			}
		}
	}()
	err = f()
	close(stop)
	<-stopped
	return errors.Join(err, r.say(record.Record{Who: who, Values: map[string]float64{"gpu_memory_mb": float64(most - before.usedMB)}}))
}
