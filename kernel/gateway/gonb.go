package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/gradbook/gradbook/kernel/engine"
	"github.com/gradbook/gradbook/kernel/session/wire"
)

// gonb is the client side of GoNB, which is started when it is first needed. It
// sees only messages that the gateway has checked or made.
type gonb struct {
	gateway *Gateway

	mu       sync.Mutex
	proc     Process
	signer   signer
	shell    *socket
	control  *socket
	stdin    *socket
	stop     context.CancelFunc
	waiting  map[string]*call  // by message id
	commands []string          // commands to repeat in a new GoNB
	open     map[string]string // comms: target by id
	lastMsg  *message
}

// call is a request to GoNB under way.
type call struct {
	e     *execution
	done  chan *engine.Failure
	reply *engine.Failure
	idle  bool
	got   bool
}

func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() //nolint:errcheck // only its port is wanted
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// start starts GoNB if it does not run.
func (b *gonb) start() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.proc != nil {
		select {
		case <-b.proc.Done():
			b.closeLocked()
		default:
			return nil
		}
	}
	ports, err := freePorts(5)
	if err != nil {
		return err
	}
	c := Connection{Transport: "tcp", IP: "127.0.0.1", ShellPort: ports[0], IOPubPort: ports[1], StdinPort: ports[2], ControlPort: ports[3], HBPort: ports[4], Key: newID(), SignatureScheme: "hmac-sha256"}
	file := filepath.Join(b.gateway.Dir, "kernel-"+newID()[:8]+".json")
	if err := os.WriteFile(file, encode(c), 0o600); err != nil {
		return err
	}
	if b.proc, err = b.gateway.GoNB(file); err != nil {
		b.proc = nil
		return fmt.Errorf("cannot start GoNB: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.signer = signer{key: []byte(c.Key)}
	b.waiting = map[string]*call{}
	b.open = map[string]string{}
	dial := func(s zmq4.Socket, port int) (*socket, error) {
		var err error
		for range 100 {
			if err = s.Dial(c.address(port)); err == nil {
				return &socket{Socket: s}, nil
			}
			select {
			case <-b.proc.Done():
				return nil, fmt.Errorf("GoNB ended at its start; see the kernel's log")
			case <-time.After(50 * time.Millisecond):
			}
		}
		return nil, err
	}
	id := zmq4.WithID(zmq4.SocketIdentity(newID()))
	if b.shell, err = dial(zmq4.NewDealer(ctx, id), c.ShellPort); err != nil {
		b.closeLocked()
		return err
	}
	if b.control, err = dial(zmq4.NewDealer(ctx, id), c.ControlPort); err != nil {
		b.closeLocked()
		return err
	}
	if b.stdin, err = dial(zmq4.NewDealer(ctx, id), c.StdinPort); err != nil {
		b.closeLocked()
		return err
	}
	sub := zmq4.NewSub(ctx)
	iopub, err := dial(sub, c.IOPubPort)
	if err != nil {
		b.closeLocked()
		return err
	}
	if err := sub.SetOption(zmq4.OptionSubscribe, ""); err != nil {
		b.closeLocked()
		return err
	}
	proc, signer := b.proc, b.signer
	receive := func(s *socket, f func(*message)) {
		for {
			raw, err := s.Recv()
			if err != nil {
				return
			}
			check := signer
			check.seen = nil
			if m, err := check.parse(raw.Frames); err == nil {
				f(m)
			}
		}
	}
	// Its first answer on iopub says that the subscription has reached it.
	ready := make(chan struct{})
	var once sync.Once
	go receive(iopub, func(m *message) { once.Do(func() { close(ready) }); b.published(m) })
	go receive(b.shell, b.replied)
	go receive(b.control, func(*message) {})
	go receive(b.stdin, b.asked)
	go func() {
		<-proc.Done()
		b.lost(proc)
	}()
	for range 100 {
		if err := b.sendLocked(b.shell, "kernel_info_request", map[string]any{}, newID(), nil, nil); err != nil {
			return err
		}
		select {
		case <-ready:
			for _, line := range b.commands {
				_ = b.sendLocked(b.shell, "execute_request", request(line, true, false), newID(), nil, nil)
			}
			return nil
		case <-proc.Done():
			return fmt.Errorf("GoNB ended at its start; see the kernel's log")
		case <-time.After(50 * time.Millisecond):
		}
	}
	b.closeLocked()
	return fmt.Errorf("GoNB does not answer; see the kernel's log")
}

// module is the folder of the notebook's module, which is GoNB's.
func (b *gonb) module() (string, error) {
	if err := b.start(); err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(b.gateway.Dir, "gonb_*", "go.mod"))
	if err != nil || len(found) == 0 {
		return "", err
	}
	newest, at := "", time.Time{}
	for _, f := range found { // of a GoNB that was killed there may be another
		if info, err := os.Stat(f); err == nil && info.ModTime().After(at) {
			newest, at = filepath.Dir(f), info.ModTime()
		}
	}
	return newest, nil
}

func request(code string, silent, stdin bool) map[string]any {
	return map[string]any{"code": code, "silent": silent, "store_history": !silent, "user_expressions": map[string]any{}, "allow_stdin": stdin, "stop_on_error": true}
}

func (b *gonb) sendLocked(s *socket, msgType string, content any, id string, metadata json.RawMessage, buffers [][]byte) error {
	h := b.gateway.newHeader(msgType)
	h.MsgID = id
	return s.send(b.signer.frames(&message{header: h, content: encode(content), metadata: metadata, buffers: buffers}))
}

// remember repeats a command in GoNB, now if it runs and whenever it starts.
func (b *gonb) remember(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.commands = append(b.commands, line)
	if b.proc != nil {
		_ = b.sendLocked(b.shell, "execute_request", request(line, true, false), newID(), nil, nil)
	}
}

// run has GoNB execute code and waits for its end.
func (b *gonb) run(e *execution, code string) *engine.Failure {
	if err := b.start(); err != nil {
		return &engine.Failure{Name: "GoNBError", Value: err.Error(), Traceback: []string{err.Error()}}
	}
	c := &call{e: e, done: make(chan *engine.Failure, 1)}
	id := newID()
	if e.ctx.Err() != nil { // while GoNB started
		return keyboardInterrupt()
	}
	b.mu.Lock()
	if b.proc == nil { // it ended just now
		b.mu.Unlock()
		return gonbDied()
	}
	b.waiting[id] = c
	b.lastMsg = e.record.last()
	err := b.sendLocked(b.shell, "execute_request", request(code, false, e.stdin()), id, nil, nil)
	if err != nil {
		delete(b.waiting, id)
	}
	b.mu.Unlock()
	if err != nil {
		return &engine.Failure{Name: "GoNBError", Value: err.Error(), Traceback: []string{err.Error()}}
	}
	interrupts := e.ctx.Done()
	for again := (<-chan time.Time)(nil); ; {
		select {
		case f := <-c.done:
			return f
		case <-interrupts:
			interrupts = nil
		case <-again:
		}
		// GoNB forgets an interrupt that comes before it has begun, or while it builds.
		b.interrupt()
		again = time.After(500 * time.Millisecond)
	}
}

func (b *gonb) parentOf(m *message) (string, *call) {
	var parent header
	_ = json.Unmarshal(m.parent, &parent) // without one it is nobody's
	return parent.MsgID, b.waiting[parent.MsgID]
}

// published passes on what GoNB publishes.
func (b *gonb) published(m *message) {
	b.mu.Lock()
	id, c := b.parentOf(m)
	last := b.lastMsg
	b.mu.Unlock()
	g := b.gateway
	switch m.header.MsgType {
	case "status":
		var s struct {
			State string `json:"execution_state"`
		}
		_ = json.Unmarshal(m.content, &s)
		if s.State == "idle" && c != nil {
			b.finish(id, c, func() { c.idle = true })
		}
	case "comm_open", "comm_msg", "comm_close":
		var content struct {
			ID     string `json:"comm_id"`
			Target string `json:"target_name"`
		}
		_ = json.Unmarshal(m.content, &content)
		b.mu.Lock()
		switch m.header.MsgType {
		case "comm_open":
			b.open[content.ID] = content.Target
		case "comm_close":
			delete(b.open, content.ID)
		}
		b.mu.Unlock()
		g.publishWith(m.header.MsgType, last, m.content, m.metadata, m.buffers)
	case "stream":
		var s struct{ Name, Text string }
		if c != nil && json.Unmarshal(m.content, &s) == nil {
			c.e.Stream(s.Name, s.Text)
		}
	case "display_data", "update_display_data", "execute_result", "clear_output":
		if c != nil {
			c.e.publishWith(m.header.MsgType, m.content, m.metadata, m.buffers, object(m.content))
		}
	}
}

// finish ends a call when both its reply and its idle status have come.
func (b *gonb) finish(id string, c *call, mark func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	mark()
	if c.idle && c.got && b.waiting[id] != nil {
		delete(b.waiting, id)
		c.done <- c.reply
	}
}

func (b *gonb) replied(m *message) {
	if m.header.MsgType != "execute_reply" {
		return
	}
	b.mu.Lock()
	id, c := b.parentOf(m)
	b.mu.Unlock()
	if c == nil {
		return
	}
	var r struct {
		Status, Ename, Evalue string
		Traceback             []string
	}
	_ = json.Unmarshal(m.content, &r)
	b.finish(id, c, func() {
		c.got = true
		if r.Status != "ok" {
			c.reply = &engine.Failure{Name: r.Ename, Value: r.Evalue, Traceback: r.Traceback}
		}
	})
}

// asked passes on GoNB's request for input.
func (b *gonb) asked(m *message) {
	b.mu.Lock()
	_, c := b.parentOf(m)
	stdin := b.stdin
	b.mu.Unlock()
	if c == nil || m.header.MsgType != "input_request" {
		return
	}
	var q struct {
		Prompt   string
		Password bool
	}
	_ = json.Unmarshal(m.content, &q)
	b.gateway.inputs.ask(c.e, q.Prompt, q.Password, func(value string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		_ = b.sendLocked(stdin, "input_reply", map[string]any{"value": value, "status": "ok"}, newID(), nil, nil)
	})
}

// lost ends all calls when GoNB has died.
func (b *gonb) lost(proc Process) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.proc != proc {
		return
	}
	b.closeLocked()
}

func (b *gonb) interrupt() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.proc != nil && len(b.waiting) > 0 {
		b.proc.Interrupt()
	}
}

func (b *gonb) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closeLocked()
}

func gonbDied() *engine.Failure {
	return &engine.Failure{Name: "GoNBDied", Value: "GoNB has ended; the next command starts it again", Traceback: []string{"GoNB has ended. The session's variables are not affected; the next command starts it again."}}
}

func (b *gonb) closeLocked() {
	for id, c := range b.waiting {
		delete(b.waiting, id)
		c.done <- gonbDied()
	}
	if b.proc != nil {
		b.proc.Kill()
		b.stop()
		b.proc = nil
	}
}

func (b *gonb) comms() map[string]any {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := map[string]any{}
	for id, target := range b.open {
		all[id] = map[string]any{"target_name": target}
	}
	return all
}

// comm passes a client's comm message on: to the session if it is for its widgets,
// or else to GoNB.
func (g *Gateway) comm(m *message) any {
	if g.pageComm(m) {
		return nil
	}
	if g.engine() != nil && g.engine().Comm(wire.Comm{Type: m.header.MsgType, Content: m.content, Metadata: m.metadata}) {
		return nil
	}
	b := g.gonb
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.proc != nil {
		_ = b.sendLocked(b.shell, m.header.MsgType, m.content, m.header.MsgID, m.metadata, m.buffers)
	}
	return nil
}
