package gateway

import "encoding/json"

// publish shows something of a cell to all pages that show the cell, and keeps it.
func (e *execution) publish(kind string, content map[string]any) {
	e.publishWith(kind, encode(content), nil, nil, content)
}

func (e *execution) publishWith(kind string, raw, metadata json.RawMessage, buffers [][]byte, content map[string]any) {
	o := e.record
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range o.followers {
		e.g.publishWith(kind, m, raw, metadata, buffers)
	}
	if content != nil {
		o.keep(kind, content, metadata)
	}
}

// status says that a request is being worked on, or has been.
func (e *execution) status(state string) {
	o := e.record
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range o.followers {
		e.g.status(m, state)
	}
}

// begin tells that the cell runs now.
func (e *execution) begin() {
	o := e.record
	o.mu.Lock()
	defer o.mu.Unlock()
	o.state = "running"
	if e.request.Silent {
		return
	}
	o.input = map[string]any{"code": e.request.Code, "execution_count": e.count}
	for _, m := range o.followers {
		e.g.publish("execute_input", m, o.input)
	}
}

// end replies to all requests of the cell.
func (g *Gateway) end(o *record, reply any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reply, o.state, o.asks = reply, "done", nil
	for _, m := range o.followers {
		g.reply(g.sockets.shell, m, reply)
	}
}

// resume lets a further request have what an earlier one has shown, and will show.
func (g *Gateway) resume(m *message, id string) {
	o := g.records.find(id)
	if o == nil {
		g.status(m, "busy")
		g.reply(g.sockets.shell, m, map[string]any{"status": "aborted"})
		g.status(m, "idle")
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.state != "queued" {
		g.status(m, "busy")
	}
	if o.input != nil {
		g.publish("execute_input", m, o.input)
	}
	for _, out := range o.outputs {
		kind := out.kind
		if kind == "update_display_data" { // of what another cell has shown
			kind = "display_data"
		}
		g.publishWith(kind, m, out.joined(), out.metadata, nil)
	}
	if o.state == "done" {
		g.reply(g.sockets.shell, m, o.reply)
		g.status(m, "idle")
		return
	}
	if len(o.followers) == maxFollowers {
		o.followers = o.followers[1:]
	}
	o.followers = append(o.followers, m)
	if o.asks != nil {
		g.askFor(m, o.asks)
	}
}

// stillBusy says again that a cell runs, when the answer to another request has said that
// the kernel is idle: pages show what they have heard last.
func (g *Gateway) stillBusy() {
	if e := g.current.Load(); e != nil {
		e.status("busy")
	}
}
