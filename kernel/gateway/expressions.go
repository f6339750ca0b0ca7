package gateway

import (
	"github.com/gradbook/gradbook/kernel/cell"
	"github.com/gradbook/gradbook/kernel/engine"
	"github.com/gradbook/gradbook/kernel/session/wire"
)

// expressions evaluates the request's user expressions.
func (e *execution) expressions() map[string]any {
	out := map[string]any{}
	for name, code := range e.request.UserExpressions {
		if e.g.engine() == nil {
			out[name] = failed("NotImplementedError", "without a session there are no values to evaluate")
			continue
		}
		sink := &collector{}
		f, err := e.g.engine().Run(e.ctx, engine.Cell{Cell: cell.Cell{Text: code}, Text: code}, sink)
		switch {
		case err != nil:
			out[name] = failed("NotImplementedError", err.Error())
		case f != nil:
			out[name] = failed(f.Name, f.Value, f.Traceback...)
		default:
			out[name] = map[string]any{"status": "ok", "data": sink.data, "metadata": map[string]any{}}
		}
	}
	return out
}

// collector keeps the result of an expression.
type collector struct{ data map[string]any }

func (c *collector) Stream(string, string) {}
func (c *collector) Event(ev wire.Event) {
	if ev.Event == "result" {
		c.data = ev.Data
	}
}
