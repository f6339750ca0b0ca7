package gateway

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/gradbook/gradbook/kernel/session/wire"
)

// debugging is what the panel of variables needs: the part of the debug protocol for which
// nothing is stopped.
//
// Source: https://jupyter-client.readthedocs.io/en/stable/messaging.html#debug-request
type debugging struct {
	mu      sync.Mutex
	started bool
	places  []place        // by reference, less one
	known   map[string]int // references of places
	last    []any          // the variables, as they were when no cell ran
}

// place leads to a value: from a variable, by the indexes of parts.
type place struct {
	name string
	path []int
}

type debugRequest struct {
	Seq       int    `json:"seq"`
	Command   string `json:"command"`
	Arguments struct {
		Reference int    `json:"variablesReference"`
		Name      string `json:"variableName"`
		Start     int    `json:"start"`
		Count     int    `json:"count"`
	} `json:"arguments"`
}

// debugRequest answers a request of the debug protocol. What would stop a cell is refused.
func (g *Gateway) debugRequest(m *message) any {
	var r debugRequest
	err := json.Unmarshal(m.content, &r)
	body := any(map[string]any{})
	if err == nil {
		body, err = g.debug(r)
	}
	reply := map[string]any{"type": "response", "request_seq": r.Seq, "seq": r.Seq, "command": r.Command, "success": err == nil, "body": body}
	if err != nil {
		reply["message"], reply["body"] = err.Error(), map[string]any{}
	}
	return reply
}

func (g *Gateway) debug(r debugRequest) (body any, err error) {
	d := &g.debugging
	none := map[string]any{}
	switch r.Command {
	case "debugInfo":
		d.mu.Lock()
		defer d.mu.Unlock()
		return map[string]any{
			"isStarted": d.started, "hashMethod": "Murmur2", "hashSeed": 0xc70f6907, "tmpFilePrefix": "gradbook/", "tmpFileSuffix": ".go",
			"breakpoints": []any{}, "stoppedThreads": []any{}, "richRendering": true, "exceptionPaths": []string{}, "copyToGlobals": false,
		}, nil
	case "initialize", "disconnect":
		d.mu.Lock()
		d.started = r.Command == "initialize"
		d.mu.Unlock()
		return none, nil
	case "attach", "configurationDone", "setExceptionBreakpoints":
		return none, nil
	case "setBreakpoints": // none is set, and the client shows none
		return map[string]any{"breakpoints": []any{}}, nil
	case "dumpCell":
		return map[string]any{"sourcePath": ""}, nil
	case "inspectVariables":
		return map[string]any{"variables": g.variables()}, nil
	case "variables":
		return g.parts(r)
	case "richInspectVariables":
		return g.rich(r.Arguments.Name)
	}
	return none, fmt.Errorf("gradbook: %q is not supported: variables can be looked at, but a cell is not stopped at a line", r.Command)
}

// variables are those of the session; while a cell runs, as they were before.
func (g *Gateway) variables() []any {
	d := &g.debugging
	if g.engine() != nil && g.current.Load() == nil {
		all, err := g.engine().Variables(nil)
		if err == nil {
			d.mu.Lock()
			d.last = make([]any, 0, len(all))
			for _, v := range all {
				d.last = append(d.last, d.variable(v, place{name: v.Name}))
			}
			d.mu.Unlock()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]any{}, d.last...)
}

// parts are what a value is made of, to which a reference leads.
func (g *Gateway) parts(r debugRequest) (any, error) {
	d := &g.debugging
	d.mu.Lock()
	n := r.Arguments.Reference
	if n < 1 || n > len(d.places) {
		d.mu.Unlock()
		return nil, fmt.Errorf("expected a reference from 1 to %d, got %d", len(d.places), n)
	}
	at := d.places[n-1]
	d.mu.Unlock()
	if g.current.Load() != nil {
		return nil, fmt.Errorf("a cell is running; %s can be looked into when it has ended", at.name)
	}
	all, err := g.engine().Inspect(at.name, at.path)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make([]any, 0, len(all))
	for i, v := range all {
		list = append(list, d.variable(v, place{at.name, append(slices.Clone(at.path), i)}))
	}
	if start := min(max(r.Arguments.Start, 0), len(list)); r.Arguments.Count > 0 {
		list = list[start:min(start+r.Arguments.Count, len(list))]
	}
	return map[string]any{"variables": list}, nil
}

func (g *Gateway) rich(name string) (any, error) {
	if g.engine() == nil || g.current.Load() != nil {
		return nil, fmt.Errorf("a cell is running; %s can be shown when it has ended", name)
	}
	data, err := g.engine().Shown(name)
	if err != nil {
		return nil, err
	}
	return map[string]any{"data": data, "metadata": described(data, map[string]any{})}, nil
}

// variable is one in the protocol's form.
func (d *debugging) variable(v wire.Variable, at place) any {
	out := map[string]any{"name": v.Name, "type": typeOf(v), "value": v.Text, "variablesReference": 0}
	if len(at.path) == 0 {
		out["evaluateName"] = v.Name
	}
	if v.Inside {
		key := fmt.Sprint(at)
		if d.known == nil {
			d.known = map[string]int{}
		}
		if d.known[key] == 0 {
			d.places = append(d.places, at)
			d.known[key] = len(d.places)
		}
		out["variablesReference"] = d.known[key]
	}
	return out
}

// typeOf is what JupyterLab's tree says of a variable, which has no other place there: the
// type, with the value of what has no parts, and else with its shape or length and memory.
func typeOf(v wire.Variable) string {
	switch {
	case v.Type == "": // what says how many parts are left out, or a nil in an interface
		return v.Text
	case !v.Inside && v.Text != "":
		return v.Type + " = " + v.Text
	}
	all := []string{v.Type}
	if v.Shape != "" {
		all = append(all, v.Shape)
	}
	return strings.Join(append(all, size(v.Bytes)), " · ")
}
