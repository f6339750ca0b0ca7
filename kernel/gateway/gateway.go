// Package gateway speaks Jupyter's messaging protocol with the clients of a
// notebook. Go cells go to the engine, what is GoNB's goes to GoNB.
//
// There is one handler for each type of message; all others know nothing of
// sockets. Requests to execute wait in a queue; everything else is answered at
// once, also while a cell runs.
//
// Source: https://jupyter-client.readthedocs.io/en/stable/messaging.html
package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gradbook/gradbook/kernel/engine"
)

// Config says what a gateway works with.
type Config struct {
	Connection Connection
	// Parts are what runs Go cells and knows about them.
	Parts
	// Prepare makes the parts where they are not at hand, as when nothing has been set up:
	// it is called as the kernel starts, and the first cell waits for it. What it says is
	// shown in that cell. Nil if there is nothing to do.
	Prepare func(ctx context.Context, say io.Writer) (Parts, error)
	// GoNB starts GoNB for a connection file, when it is needed first.
	GoNB func(connectionFile string) (Process, error)
	// Command makes a command of a shell, with the kernel's environment; Start starts it.
	Command func(name string, args ...string) *exec.Cmd
	Start   func(*exec.Cmd) (Process, error)
	// Dir is a folder for files of this kernel.
	Dir string
	// History is the file that keeps what was executed; "" keeps nothing.
	History string
	// Version is Gradbook's, for the banner. GoVersion is Go's.
	Version, GoVersion string
	Log                *slog.Logger
}

// Parts are what a gateway has Go cells run by.
type Parts struct {
	// Engine runs Go cells; nil if they run as GoNB runs them.
	Engine *engine.Engine
	// Language answers questions about code; nil if nobody can.
	Language Language
	// Notice is shown with the first cell; "" shows nothing.
	Notice string
}

// Process is a child that the gateway ends.
type Process interface {
	// Interrupt sends the process an interrupt, InterruptGroup all of its group.
	Interrupt()
	InterruptGroup()
	Kill()
	Done() <-chan struct{}
}

// Gateway is a running kernel's.
type Gateway struct {
	Config
	session string
	works   atomic.Pointer[Parts]
	getting preparing
	sockets *sockets
	history *history
	gonb    *gonb

	signer    signer // of the clients' messages; used by one goroutine at a time
	signing   sync.Mutex
	Dropped   atomic.Int64 // messages that were not well formed or not signed
	queued    sync.Mutex
	pending   []*record
	wake      chan struct{}
	count     atomic.Int64
	displays  sync.Map // ids that have been displayed
	current   atomic.Pointer[execution]
	inputs    inputs
	debugging debugging
	records   records
	pages     pages
	subshells subshells
	shutdown  chan json.RawMessage
	stop      context.CancelFunc
}

// New binds the sockets.
func New(ctx context.Context, c Config) (*Gateway, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	ctx, stop := context.WithCancel(ctx)
	s, err := listen(ctx, c.Connection)
	if err != nil {
		stop()
		return nil, err
	}
	g := &Gateway{
		Config: c, session: newID(), sockets: s, wake: make(chan struct{}, 1),
		shutdown: make(chan json.RawMessage, 1), stop: stop,
	}
	g.signer.key = []byte(c.Connection.Key)
	g.history = openHistory(c.History, c.Log)
	g.gonb = &gonb{gateway: g}
	g.getting.done = make(chan struct{})
	if c.Prepare == nil {
		g.use(c.Parts)
		close(g.getting.done)
	} else {
		go g.prepare(ctx)
	}
	return g, nil
}

// Run serves until a client asks for the end or ctx is done.
func (g *Gateway) Run(ctx context.Context) error {
	go g.sockets.beat()
	go g.serve(g.sockets.shell)
	go g.serve(g.sockets.control)
	go g.serveStdin()
	go g.executeAll()
	g.publish("status", nil, map[string]any{"execution_state": "starting"})
	select {
	case <-ctx.Done():
	case <-g.shutdown:
	}
	g.Interrupt()
	if e := g.engine(); e != nil {
		e.Stop()
	}
	g.gonb.close()
	g.history.close()
	g.stop()
	g.sockets.close()
	return nil
}

// receive reads the next good message.
func (g *Gateway) receive(s *socket) (*message, error) {
	for {
		raw, err := s.Recv()
		if err != nil {
			return nil, err
		}
		g.signing.Lock()
		m, err := g.signer.parse(raw.Frames)
		g.signing.Unlock()
		if err == nil {
			return m, nil
		}
		g.Dropped.Add(1)
		g.Log.Warn("a message is dropped", "reason", err, "dropped", g.Dropped.Load())
	}
}

func (g *Gateway) serve(s *socket) {
	for {
		m, err := g.receive(s)
		if err != nil {
			return
		}
		if m.header.MsgType == "execute_request" {
			g.enqueue(m)
			continue
		}
		if strings.HasPrefix(m.header.MsgType, "comm_") {
			g.handle(s, m) // a slider's values are to come in their order
			continue
		}
		go g.handle(s, m)
	}
}

// handlers are what answers a request. Those that return nil send no reply.
var handlers = map[string]func(*Gateway, *message) any{
	"kernel_info_request":     (*Gateway).kernelInfo,
	"is_complete_request":     (*Gateway).isComplete,
	"complete_request":        (*Gateway).complete,
	"inspect_request":         (*Gateway).inspect,
	"history_request":         (*Gateway).historyRequest,
	"comm_info_request":       (*Gateway).commInfo,
	"comm_open":               (*Gateway).comm,
	"comm_msg":                (*Gateway).comm,
	"comm_close":              (*Gateway).comm,
	"interrupt_request":       (*Gateway).interruptRequest,
	"shutdown_request":        (*Gateway).shutdownRequest,
	"create_subshell_request": (*Gateway).createSubshell,
	"delete_subshell_request": (*Gateway).deleteSubshell,
	"list_subshell_request":   (*Gateway).listSubshells,
	"debug_request":           (*Gateway).debugRequest,
}

// handle answers a message, with busy before and idle after.
func (g *Gateway) handle(s *socket, m *message) {
	h, ok := handlers[m.header.MsgType]
	if !ok {
		g.Log.Info("a message of unknown type", "type", m.header.MsgType)
		return
	}
	g.status(m, "busy")
	defer g.stillBusy()
	defer g.status(m, "idle")
	defer func() {
		if e := recover(); e != nil {
			g.Log.Error("a request failed", "type", m.header.MsgType, "panic", e)
			g.reply(s, m, failed("InternalError", fmt.Sprint(e)))
		}
	}()
	if content := h(g, m); content != nil {
		g.reply(s, m, content)
	}
	if m.header.MsgType == "shutdown_request" {
		g.publish("shutdown_reply", m, m.content)
		select {
		case g.shutdown <- m.content:
		default:
		}
	}
}

func failed(name, value string, traceback ...string) map[string]any {
	if traceback == nil {
		traceback = []string{name + ": " + value}
	}
	return map[string]any{"status": "error", "ename": name, "evalue": value, "traceback": traceback}
}

// reply answers a request, on the socket that it came by.
func (g *Gateway) reply(s *socket, m *message, content any) {
	msgType := m.header.MsgType
	if len(msgType) > len("_request") && msgType[len(msgType)-len("_request"):] == "_request" {
		msgType = msgType[:len(msgType)-len("request")] + "reply"
	}
	out := &message{identities: m.identities, header: g.newHeader(msgType), parent: m.rawHeader, content: encode(content)}
	g.send(s, out)
}

func (g *Gateway) send(s *socket, m *message) {
	signer := signer{key: g.signer.key}
	if err := s.send(signer.frames(m)); err != nil {
		g.Log.Warn("cannot send", "type", m.header.MsgType, "error", err)
	}
}

// publish sends to all clients, as a consequence of parent.
func (g *Gateway) publish(msgType string, parent *message, content any) {
	g.publishWith(msgType, parent, content, nil, nil)
}

func (g *Gateway) publishWith(msgType string, parent *message, content any, metadata json.RawMessage, buffers [][]byte) {
	out := &message{header: g.newHeader(msgType), content: encode(content), metadata: metadata, buffers: buffers}
	if parent != nil {
		out.parent = parent.rawHeader
	}
	out.identities = [][]byte{[]byte(msgType)}
	g.send(g.sockets.iopub, out)
}

func (g *Gateway) status(m *message, state string) {
	g.publish("status", m, map[string]any{"execution_state": state})
}

// Interrupt ends the cell that runs, and queued ones are aborted; without one, what a
// widget calls.
func (g *Gateway) Interrupt() {
	if e := g.current.Load(); e != nil {
		e.cancel()
	} else if g.engine() != nil {
		g.engine().Interrupt()
	}
	g.inputs.cancel()
}

func (g *Gateway) interruptRequest(*message) any {
	g.Interrupt()
	return map[string]any{"status": "ok"}
}

func (g *Gateway) shutdownRequest(m *message) any {
	var content struct {
		Restart bool `json:"restart"`
	}
	_ = json.Unmarshal(m.content, &content) // it is an object; without the key, false
	return map[string]any{"status": "ok", "restart": content.Restart}
}
