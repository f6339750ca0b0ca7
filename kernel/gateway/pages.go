package gateway

import (
	"encoding/json"
	"errors"
	"sync"

	"github.com/gradbook/gradbook/kernel/dialect"
	"github.com/gradbook/gradbook/kernel/session/wire"
)

// pages are the questions that Gradbook's extension of JupyterLab asks, each by opening a
// comm for a target: which cells have shown something, what gofmt makes of a cell, and rows of a table.
type pages struct {
	mu    sync.Mutex
	comms map[string]bool
}

const (
	formatTarget = "gradbook.format"
	tableTarget  = "gradbook.table"
)

type pageComm struct {
	ID     string `json:"comm_id"`
	Target string `json:"target_name"`
	Data   struct {
		Saved []string `json:"saved"` // cells that are on disk as they are
		Code  string   `json:"code"`
		wire.Table
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
	case opens && (c.Target == recordsTarget || c.Target == formatTarget || c.Target == tableTarget):
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
	case c.Target == tableTarget:
		return g.rows(c.Data.Table)
	case len(c.Data.Saved) > 0:
		g.records.saved(c.Data.Saved)
		return nil
	}
	return map[string]any{"cells": g.records.all()}
}

func (g *Gateway) rows(q wire.Table) map[string]any {
	if g.engine() == nil || g.current.Load() != nil {
		return map[string]any{"error": "a cell is running; the table can be turned when it has ended"}
	}
	data, err := g.engine().Rows(q)
	if err == nil && data == nil {
		err = errors.New("the session has ended")
	}
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return data
}
