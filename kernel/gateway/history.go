package gateway

import (
	"bufio"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

// maxHistory is how many entries are kept.
const maxHistory = 10000

// entry is one input; in the file, a line of JSON.
type entry struct {
	Session int    `json:"session"`
	Line    int    `json:"line"`
	Input   string `json:"input"`
}

// history is what was executed, in this and earlier sessions. Several kernels
// append to the same file.
type history struct {
	mu      sync.Mutex
	file    *os.File
	session int
	entries []entry
	log     *slog.Logger
}

func openHistory(name string, log *slog.Logger) *history {
	h := &history{log: log, session: 1}
	if name == "" {
		return h
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		log.Warn("no history is kept", "error", err)
		return h
	}
	if f, err := os.Open(name); err == nil {
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			var e entry
			if json.Unmarshal(lines.Bytes(), &e) == nil { // a torn line is skipped
				h.entries = append(h.entries, e)
				h.session = max(h.session, e.Session+1)
			}
		}
		_ = f.Close()
	}
	if len(h.entries) > maxHistory {
		h.entries = h.entries[len(h.entries)-maxHistory:]
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		log.Warn("no history is kept", "error", err)
		return h
	}
	h.file = f
	return h
}

func (h *history) add(line int, input string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := entry{Session: h.session, Line: line, Input: input}
	h.entries = append(h.entries, e)
	if h.file != nil {
		if _, err := h.file.Write(append(encode(e), '\n')); err != nil {
			h.log.Warn("history", "error", err)
		}
	}
}

func (h *history) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.file != nil {
		_ = h.file.Close()
		h.file = nil
	}
}

type historyQuery struct {
	Output  bool   `json:"output"`
	Type    string `json:"hist_access_type"`
	Session int    `json:"session"`
	Start   int    `json:"start"`
	Stop    *int   `json:"stop"`
	N       *int   `json:"n"`
	Pattern string `json:"pattern"`
	Unique  bool   `json:"unique"`
}

// historyRequest answers with inputs of this and earlier sessions.
func (g *Gateway) historyRequest(m *message) any {
	var q historyQuery
	if err := json.Unmarshal(m.content, &q); err != nil {
		return failed("ValueError", err.Error())
	}
	list := [][3]any{}
	for _, e := range g.history.find(q) {
		var input any = e.Input
		if q.Output {
			input = [2]any{e.Input, nil}
		}
		list = append(list, [3]any{e.Session, e.Line, input})
	}
	return map[string]any{"status": "ok", "history": list}
}

func (h *history) find(q historyQuery) []entry {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []entry
	switch q.Type {
	case "range":
		session := q.Session
		if session <= 0 {
			session += h.session
		}
		for _, e := range h.entries {
			if e.Session == session && e.Line >= q.Start && (q.Stop == nil || e.Line < *q.Stop) {
				found = append(found, e)
			}
		}
		return found
	case "search":
		for _, e := range h.entries {
			if q.Pattern == "" || globAll(q.Pattern, e.Input) {
				found = append(found, e)
			}
		}
		if q.Unique {
			seen, unique := map[string]bool{}, []entry{}
			for i := len(found) - 1; i >= 0; i-- {
				if !seen[found[i].Input] {
					seen[found[i].Input] = true
					unique = append([]entry{found[i]}, unique...)
				}
			}
			found = unique
		}
	default: // tail
		found = append(found, h.entries...)
	}
	if q.N != nil && *q.N >= 0 && len(found) > *q.N {
		found = found[len(found)-*q.N:]
	}
	return found
}

// globAll matches a pattern of * and ? against a text, in which slashes and line
// ends are nothing special.
func globAll(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	i, j, star, mark := 0, 0, -1, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
