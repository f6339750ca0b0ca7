package gateway

import (
	"encoding/json"
	"sync"
)

// inputs passes on what cells ask a person for.
type inputs struct {
	mu     sync.Mutex
	answer func(string)
}

// ask asks the client of an execution for a line.
func (i *inputs) ask(e *execution, prompt string, password bool, answer func(string)) {
	i.mu.Lock()
	i.answer = answer
	i.mu.Unlock()
	content := map[string]any{"prompt": prompt, "password": password}
	e.record.mu.Lock()
	defer e.record.mu.Unlock()
	e.record.asks = content
	e.g.askFor(e.record.followers[len(e.record.followers)-1], content)
}

// askFor asks the page that a request is of.
func (g *Gateway) askFor(m *message, content any) {
	g.send(g.sockets.stdin, &message{identities: m.identities, header: g.newHeader("input_request"), parent: m.rawHeader, content: encode(content)})
}

func (i *inputs) cancel() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = nil
}

func (g *Gateway) serveStdin() {
	for {
		m, err := g.receive(g.sockets.stdin)
		if err != nil {
			return
		}
		if m.header.MsgType != "input_reply" {
			continue
		}
		var content struct {
			Value string `json:"value"`
		}
		if err := json.Unmarshal(m.content, &content); err != nil {
			g.Log.Warn("input_reply", "error", err)
			continue
		}
		g.inputs.mu.Lock()
		answer := g.inputs.answer
		g.inputs.answer = nil
		g.inputs.mu.Unlock()
		if answer != nil {
			if e := g.current.Load(); e != nil {
				e.record.mu.Lock()
				e.record.asks = nil
				e.record.mu.Unlock()
			}
			answer(content.Value)
		}
	}
}
