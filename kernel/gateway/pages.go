package gateway

import (
	"encoding/json"
	"sync"

	"github.com/gradbook/gradbook/kernel/dialect"
)

// pages are the questions that Gradbook's extension of JupyterLab asks, each by opening a
// comm for a target: which cells have shown something, and what gofmt makes of a cell.
type pages struct {
	mu    sync.Mutex
	comms map[string]bool
}

const formatTarget = "gradbook.format"

type pageComm struct {
	ID     string `json:"comm_id"`
	Target string `json:"target_name"`
	Data   struct {
		Saved []string `json:"saved"` // cells that are on disk as they are
		Code  string   `json:"code"`
	} `json:"data"`
}

// pageComm answers a page. It says whether the message is one of the extension's.
func (g *Gateway) pageComm(m *message) bool {
	var c pageComm
	if json.Unmarshal(m.content, &c) != nil {
		return false
	}
	opens := m.header.MsgType == "comm_open"
	p := &g.pages
	p.mu.Lock()
	ours := p.comms[c.ID]
	switch {
	case opens && (c.Target == recordsTarget || c.Target == formatTarget):
		if p.comms == nil {
			p.comms = map[string]bool{}
		}
		ours, p.comms[c.ID] = true, true
	case m.header.MsgType == "comm_close":
		delete(p.comms, c.ID)
	}
	p.mu.Unlock()
	if ours && opens {
		if data := g.pageAnswer(c); data != nil {
			g.publish("comm_msg", m, map[string]any{"comm_id": c.ID, "data": data})
		}
	}
	return ours
}

func (g *Gateway) pageAnswer(c pageComm) map[string]any {
	switch {
	case c.Target == formatTarget:
		text, err := dialect.Format(c.Data.Code)
		if err != nil {
			return map[string]any{"error": err.Error()}
		}
		return map[string]any{"code": text}
	case len(c.Data.Saved) > 0:
		g.records.saved(c.Data.Saved)
		return nil
	}
	return map[string]any{"cells": g.records.all()}
}
