package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/gradbook/gradbook/kernel/cell"
	"github.com/gradbook/gradbook/kernel/dialect"
	"github.com/gradbook/gradbook/kernel/engine"
	"github.com/gradbook/gradbook/kernel/session/wire"
)

// executeRequest is what a client asks for.
type executeRequest struct {
	Code            string            `json:"code"`
	Silent          bool              `json:"silent"`
	StoreHistory    *bool             `json:"store_history"`
	UserExpressions map[string]string `json:"user_expressions"`
	AllowStdin      *bool             `json:"allow_stdin"`
	StopOnError     *bool             `json:"stop_on_error"`
}

// execution is a request under way. It is where the cell's output goes, also
// what comes after its end.
type execution struct {
	g       *Gateway
	record  *record
	request executeRequest
	count   int
	ctx     context.Context // ends when the request is interrupted
	cancel  context.CancelFunc
	took    float64    // ms that the cell's Go ran
	page    any        // for the client's pager
	inputs  *inputKind // of the next command of a shell, if it has any
	files   []string   // whose cells run, of one in another

	mu      sync.Mutex
	capture *os.File
}

// enqueue puts a request to execute at the end of the queue.
func (g *Gateway) enqueue(m *message) {
	if g.refuseInSubshell(m) {
		return
	}
	if _, id := m.request(); id != "" {
		g.resume(m, id)
		return
	}
	o := g.records.add(m)
	g.queued.Lock()
	g.pending = append(g.pending, o)
	g.queued.Unlock()
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// quiet is how long nothing must run before the language server is started, which takes
// a processor for seconds: the first cells go before, and a run without a person, which
// is never quiet, needs none.
const quiet = 2 * time.Second

func (g *Gateway) executeAll() {
	idle := time.NewTimer(quiet)
	for warm := false; ; {
		select {
		case <-idle.C:
			warm = true
			if g.language() != nil {
				go g.language().Warm()
			}
			continue
		case <-g.wake:
			idle.Stop()
		}
		for {
			g.queued.Lock()
			if len(g.pending) == 0 {
				g.queued.Unlock()
				break
			}
			o := g.pending[0]
			g.pending = g.pending[1:]
			g.queued.Unlock()
			g.executeOne(o)
		}
		if !warm {
			idle.Reset(quiet)
		}
	}
}

// abort answers what is queued: it does not run.
func (g *Gateway) abort() {
	g.queued.Lock()
	pending := g.pending
	g.pending = nil
	g.queued.Unlock()
	for _, o := range pending {
		e := &execution{g: g, record: o}
		e.status("busy")
		g.end(o, map[string]any{"status": "aborted"})
		e.status("idle")
	}
}

func (g *Gateway) executeOne(o *record) {
	e := &execution{g: g, record: o}
	e.status("busy")
	defer e.status("idle")
	e.ctx, e.cancel = context.WithCancel(context.Background())
	defer e.cancel()
	if err := json.Unmarshal(o.followers[0].content, &e.request); err != nil {
		g.end(o, failed("ValueError", "execute_request: "+err.Error()))
		return
	}
	g.current.Store(e)
	r := e.request
	store := !r.Silent && (r.StoreHistory == nil || *r.StoreHistory)
	if store {
		g.count.Add(1)
	}
	e.count = int(g.count.Load())
	e.begin()
	if store && strings.TrimSpace(r.Code) != "" {
		g.history.add(e.count, r.Code)
	}
	reply := map[string]any{"status": "ok", "payload": []any{}, "user_expressions": map[string]any{}}
	f := e.run()
	if f == nil && len(r.UserExpressions) > 0 {
		reply["user_expressions"] = e.expressions()
	}
	g.current.Store(nil)
	if f == nil && e.ctx.Err() != nil {
		f = keyboardInterrupt()
	}
	if f != nil {
		reply = failed(f.Name, f.Value, f.Traceback...)
		if !r.Silent {
			e.publish("error", map[string]any{"ename": f.Name, "evalue": f.Value, "traceback": f.Traceback})
		}
	}
	if e.page != nil {
		reply["payload"] = []any{e.page}
	}
	reply["execution_count"] = e.count
	g.end(o, reply)
	if f != nil && (r.StopOnError == nil || *r.StopOnError || e.ctx.Err() != nil) {
		g.abort()
	}
}

func keyboardInterrupt() *engine.Failure {
	return &engine.Failure{Name: "KeyboardInterrupt", Traceback: []string{"KeyboardInterrupt"}}
}

// run runs the cell: its commands in order, then its Go.
func (e *execution) run() (f *engine.Failure) {
	defer func() {
		if p := recover(); p != nil {
			e.g.Log.Error("a cell failed in the kernel", "panic", p, "stack", string(debug.Stack()))
			f = &engine.Failure{Name: "InternalError", Value: fmt.Sprint(p), Traceback: []string{fmt.Sprint(p)}}
		}
		e.endCapture()
	}()
	if err := e.prepared(); err != nil {
		if e.ctx.Err() != nil {
			return keyboardInterrupt()
		}
		const what = "the kernel could not be set up; restart it to try again; `gradbook doctor` says what is missing"
		return &engine.Failure{Name: "SetupError", Value: err.Error(), Traceback: []string{err.Error(), what}}
	}
	if e.g.engine() == nil {
		return e.g.gonb.run(e, e.request.Code)
	}
	if !e.request.Silent {
		if notice := e.g.notice(); notice != "" {
			e.Stream("stderr", notice+"\n")
		}
	}
	return e.text(e.request.Code)
}

// text runs the text of a cell.
func (e *execution) text(code string) *engine.Failure {
	t := dialect.Parse(code)
	options := t.Options()
	if options.Program {
		return e.program(t)
	}
	if options.Timed {
		defer func() {
			e.Stream("stdout", fmt.Sprintf("Wall time: %s\n", round(time.Duration(e.took*1e6))))
		}()
	}
	for _, s := range t.Segments {
		if e.ctx.Err() != nil {
			return keyboardInterrupt()
		}
		if f := e.segment(s); f != nil {
			return f
		}
	}
	if !t.HasGo() {
		return nil
	}
	number := e.count
	if e.request.Silent {
		number = 0 // nobody sees it
	}
	f, err := e.g.engine().Run(e.ctx, engine.Cell{Cell: t.Benchmarked(t.Cell(number)), Text: code, Args: options.Args, AllowStdin: e.stdin(), Profile: options.Profile}, e)
	if errors.Is(err, cell.ErrGoNB) {
		return e.program(t)
	}
	return f
}

// segment does what a part of the cell says, if it is no Go.
func (e *execution) segment(s dialect.Segment) *engine.Failure {
	switch s.Kind {
	case dialect.Go:
	case dialect.Help:
		return e.help(s.Args)
	default:
		err := dialect.Run(e, s)
		if err != nil && e.ctx.Err() != nil {
			return keyboardInterrupt()
		}
		var failed *failureError
		if errors.As(err, &failed) {
			return failed.Failure
		}
		if err != nil {
			return commandFailed(err.Error())
		}
	}
	return nil
}

func commandFailed(why string) *engine.Failure {
	return &engine.Failure{Name: "CommandError", Value: why, Traceback: []string{"\x1b[0;31mCommandError\x1b[0m: " + why}}
}

// help shows a name's documentation in the client's pager.
func (e *execution) help(name string) *engine.Failure {
	doc := ""
	if e.g.language() != nil {
		doc = e.g.language().Inspect(name, len(name))
	}
	if doc == "" {
		return commandFailed("nothing is known of " + name)
	}
	e.page = map[string]any{"source": "page", "start": 0, "data": map[string]any{"text/markdown": doc, "text/plain": plainText(doc)}}
	return nil
}

func (e *execution) stdin() bool { return e.request.AllowStdin == nil || *e.request.AllowStdin }

func round(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	case d > time.Millisecond:
		return d.Round(10 * time.Microsecond)
	}
	return d
}

// Stream implements [engine.Sink].
func (e *execution) Stream(name, text string) {
	e.mu.Lock()
	if e.capture != nil {
		_, _ = e.capture.WriteString(text)
	}
	e.mu.Unlock()
	if !e.request.Silent {
		e.publish("stream", map[string]any{"name": name, "text": text})
	}
}

// Event implements [engine.Sink].
func (e *execution) Event(ev wire.Event) {
	content := map[string]any{"data": ev.Data, "metadata": described(ev.Data, ev.Metadata)}
	switch ev.Event {
	case "result":
		if !e.request.Silent {
			content["execution_count"] = e.count
			e.publish("execute_result", content)
		}
	case "display":
		msgType := "display_data"
		if ev.DisplayID != "" {
			content["transient"] = map[string]any{"display_id": ev.DisplayID}
			if !e.g.firstDisplay(ev.DisplayID) {
				msgType = "update_display_data"
			}
		}
		e.publish(msgType, content)
	case "clear":
		e.publish("clear_output", map[string]any{"wait": ev.Wait})
	case "comm":
		e.publishWith(ev.Comm.Type, ev.Comm.Content, ev.Comm.Metadata, nil, nil)
	case "took":
		e.took = ev.Milliseconds
	case "input":
		e.g.inputs.ask(e, ev.Prompt, ev.Password, e.g.engine().Input)
	}
}

// firstDisplay says whether an id has not been displayed before.
func (g *Gateway) firstDisplay(id string) bool {
	_, seen := g.displays.LoadOrStore(id, true)
	return !seen
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

func (e *execution) endCapture() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.capture != nil {
		_ = e.capture.Close()
		e.capture = nil
	}
}
