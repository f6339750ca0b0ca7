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
	g := e.g
	m := &message{identities: e.m.identities, header: g.newHeader("input_request"), parent: e.m.rawHeader, content: encode(map[string]any{"prompt": prompt, "password": password})}
	g.send(g.sockets.stdin, m)
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
			answer(content.Value)
		}
	}
}
