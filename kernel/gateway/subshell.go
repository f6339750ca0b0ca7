package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// subshells are the ids that clients have, by which they send what is not to wait for a
// cell. Nothing but cells waits here, so a subshell is no more than its id; a cell in one is
// refused, since those of a session run one after the other.
//
// Source: https://jupyter.org/enhancement-proposals/91-kernel-subshells/kernel-subshells.html
type subshells struct {
	mu  sync.Mutex
	ids map[string]bool
}

func (g *Gateway) createSubshell(*message) any {
	s := &g.subshells
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids == nil {
		s.ids = map[string]bool{}
	}
	id := newID()
	s.ids[id] = true
	return map[string]any{"status": "ok", "subshell_id": id}
}

func (g *Gateway) deleteSubshell(m *message) any {
	var content struct {
		ID string `json:"subshell_id"`
	}
	_ = json.Unmarshal(m.content, &content) // without one, there is none such
	s := &g.subshells
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ids[content.ID] {
		return failed("ValueError", fmt.Sprintf("there is no subshell %q", content.ID))
	}
	delete(s.ids, content.ID)
	return map[string]any{"status": "ok"}
}

func (g *Gateway) listSubshells(*message) any {
	s := &g.subshells
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := slices.Sorted(maps.Keys(s.ids))
	if ids == nil {
		ids = []string{}
	}
	return map[string]any{"status": "ok", "subshell_id": ids}
}

// refuseInSubshell answers a request to execute in a subshell, and says whether it was one.
func (g *Gateway) refuseInSubshell(m *message) bool {
	if m.header.Subshell == "" {
		return false
	}
	g.status(m, "busy")
	defer g.stillBusy()
	defer g.status(m, "idle")
	const why = "cells of a session run one after the other, and none in a subshell"
	reply := failed("NotImplementedError", why)
	g.publish("error", m, map[string]any{"ename": "NotImplementedError", "evalue": why, "traceback": []string{"NotImplementedError: " + why}})
	g.reply(g.sockets.shell, m, reply)
	return true
}
