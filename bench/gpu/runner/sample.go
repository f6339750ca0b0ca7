package main

import (
	"bufio"
	"context"
	"errors"
	"os/exec"
	"strconv"
	"strings"

	"github.com/gradbook/gradbook/bench/gpu/record"
)

// sampled calls f and says how much of the GPU's memory was in use at most meanwhile, beyond
// what was before. One nvidia-smi looks twice a second.
func (r *running) sampled(ctx context.Context, who string, f func() error) error {
	looking, stop := context.WithCancel(ctx)
	defer stop()
	cmd := exec.CommandContext(looking, "nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0", "--loop-ms=500")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	used := func() int {
		mb, _ := strconv.Atoi(strings.TrimSpace(lines.Text())) // "[N/A]" is 0
		return mb
	}
	lines.Scan()
	before := used()
	most, ended := before, make(chan bool)
	go func() {
		defer close(ended)
		for lines.Scan() {
			most = max(most, used())
		}
	}()
	err = f()
	stop()
	<-ended
	_ = cmd.Wait() // it was killed
	return errors.Join(err, r.say(record.Record{Who: who, Values: map[string]float64{"gpu_memory_mb": float64(most - before)}}))
}
