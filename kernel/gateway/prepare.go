package gateway

import (
	"bytes"
	"context"
	"sync"

	"github.com/gradbook/gradbook/kernel/engine"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

// preparing is what the first cell waits for.
type preparing struct {
	done chan struct{}
	err  error // once done

	mu   sync.Mutex
	text bytes.Buffer // what has been said and not been shown
	more func(text string)
}

// Write implements [io.Writer], for what is said meanwhile.
func (p *preparing) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.more != nil {
		p.more(string(b))
		return len(b), nil
	}
	return p.text.Write(b)
}

// show has f called with what has been said and what will be; nil ends that.
func (p *preparing) show(f func(text string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.more = f
	if f != nil && p.text.Len() > 0 {
		f(p.text.String())
		p.text.Reset()
	}
}

// engine is what runs Go cells; nil if nothing does, or does yet.
func (g *Gateway) engine() *engine.Engine { return g.working().Engine }

func (g *Gateway) language() Language { return g.working().Language }

func (g *Gateway) working() Parts {
	if p := g.works.Load(); p != nil {
		return *p
	}
	return Parts{}
}

// notice is what is to be shown with the first cell, once.
func (g *Gateway) notice() string {
	p := g.working()
	shown := p
	shown.Notice = ""
	g.works.Store(&shown)
	return p.Notice
}

func (g *Gateway) use(p Parts) {
	if p.Engine != nil {
		p.Engine.Builder().Set(func(s *toolchain.Settings) { s.Module = g.gonb.module })
	}
	g.works.Store(&p)
}

// prepare gets the parts.
func (g *Gateway) prepare(ctx context.Context) {
	defer close(g.getting.done)
	parts, err := g.Prepare(ctx, &g.getting)
	if err != nil {
		g.getting.err = err
		g.Log.Error("cannot prepare", "error", err)
		return
	}
	g.use(parts)
}

// prepared waits until Go cells can run, and shows what is done for that.
func (e *execution) prepared() error {
	p := &e.g.getting
	select {
	case <-p.done:
		if p.err == nil { // it was done before anybody waited
			return nil
		}
	default:
	}
	p.show(func(text string) { e.Stream("stderr", text) })
	defer p.show(nil)
	select {
	case <-p.done:
		return p.err
	case <-e.ctx.Done():
		return e.ctx.Err()
	}
}
