package gateway

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
)

// fakeGoNB is the other end of the connection to GoNB: a kernel whose cells are words,
// each of which it does.
type fakeGoNB struct {
	t           *testing.T
	sockets     *sockets
	signer      signer
	once        sync.Once
	done        chan struct{}
	interrupted chan struct{}

	mu    sync.Mutex
	cells []string
	comms []string
}

// startFake is a Config's GoNB.
func startFake(t *testing.T, started func(*fakeGoNB)) func(string) (Process, error) {
	return func(file string) (Process, error) {
		c, err := ReadConnection(file)
		if err != nil {
			return nil, err
		}
		s, err := listen(context.Background(), c)
		if err != nil {
			return nil, err
		}
		f := &fakeGoNB{t: t, sockets: s, signer: signer{key: []byte(c.Key)}, done: make(chan struct{}), interrupted: make(chan struct{}, 100)}
		go f.serve()
		started(f)
		return f, nil
	}
}

// Interrupt implements [Process].
func (f *fakeGoNB) Interrupt() { f.interrupted <- struct{}{} }

// InterruptGroup implements [Process].
func (f *fakeGoNB) InterruptGroup() { f.Interrupt() }

// Kill implements [Process].
func (f *fakeGoNB) Kill() {
	f.once.Do(func() {
		close(f.done)
		f.sockets.close()
	})
}

// Done implements [Process].
func (f *fakeGoNB) Done() <-chan struct{} { return f.done }

func (f *fakeGoNB) send(s *socket, parent *message, msgType string, content any, buffers ...[]byte) {
	m := &message{header: header{MsgID: newID(), MsgType: msgType}, parent: parent.rawHeader, content: encode(content), buffers: buffers}
	if s == f.sockets.iopub {
		m.identities = [][]byte{[]byte(msgType)}
	} else {
		m.identities = parent.identities
	}
	signer := signer{key: f.signer.key}
	_ = s.send(signer.frames(m)) // it may have been killed
}

func (f *fakeGoNB) serve() {
	for {
		raw, err := f.sockets.shell.Recv()
		if err != nil {
			return
		}
		m, err := f.signer.parse(raw.Frames)
		if err != nil {
			f.t.Errorf("GoNB is sent what is no message: %v", err)
			continue
		}
		f.send(f.sockets.iopub, m, "status", map[string]any{"execution_state": "busy"})
		switch m.header.MsgType {
		case "execute_request":
			f.execute(m)
		case "comm_msg":
			f.mu.Lock()
			f.comms = append(f.comms, string(m.content))
			f.mu.Unlock()
		}
		f.send(f.sockets.iopub, m, "status", map[string]any{"execution_state": "idle"})
	}
}

func (f *fakeGoNB) execute(m *message) {
	var r executeRequest
	if err := json.Unmarshal(m.content, &r); err != nil {
		f.t.Error(err)
	}
	f.mu.Lock()
	f.cells = append(f.cells, r.Code)
	f.mu.Unlock()
	reply := map[string]any{"status": "ok"}
	word, rest, _ := strings.Cut(r.Code, " ")
	switch word {
	case "print":
		f.send(f.sockets.iopub, m, "stream", map[string]any{"name": "stdout", "text": rest})
	case "show":
		f.send(f.sockets.iopub, m, "display_data", map[string]any{"data": map[string]any{"text/html": rest}}, []byte("a buffer"))
	case "fail":
		reply = map[string]any{"status": "error", "ename": "ERROR", "evalue": rest, "traceback": []string{"here"}}
	case "ask":
		f.send(f.sockets.stdin, &message{identities: m.identities, rawHeader: m.rawHeader}, "input_request", map[string]any{"prompt": rest})
		raw, err := f.sockets.stdin.Recv()
		if err != nil {
			return
		}
		answer, err := f.signer.parse(raw.Frames)
		if err != nil {
			f.t.Error(err)
			return
		}
		var content struct{ Value string }
		_ = json.Unmarshal(answer.content, &content)
		f.send(f.sockets.iopub, m, "stream", map[string]any{"name": "stdout", "text": "you said " + content.Value})
	case "open":
		f.send(f.sockets.iopub, m, "comm_open", map[string]any{"comm_id": rest, "target_name": "there"})
	case "close":
		f.send(f.sockets.iopub, m, "comm_close", map[string]any{"comm_id": rest})
	case "hang":
		select {
		case <-f.interrupted:
		case <-f.done:
			return
		}
		<-f.interrupted // it forgets the first, as GoNB does
		reply = map[string]any{"status": "error", "ename": "ERROR", "evalue": "interrupted", "traceback": []string{}}
	case "die":
		f.Kill()
		return
	}
	f.send(f.sockets.shell, m, "execute_reply", reply)
}

func (f *fakeGoNB) ran() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.cells...)
}

// client is one of a gateway's, such as JupyterLab.
type client struct {
	t                     *testing.T
	g                     *Gateway
	signer                signer
	shell, control, stdin *socket
	published             chan *message
	replies               chan *message
	questions             chan *message
}

// connect starts a gateway and connects a client.
func connect(t *testing.T, edit ...func(*Config)) *client {
	t.Helper()
	ports, err := freePorts(5)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Connection: Connection{Transport: "tcp", IP: "127.0.0.1", ShellPort: ports[0], IOPubPort: ports[1], StdinPort: ports[2], ControlPort: ports[3], HBPort: ports[4], Key: "secret"}, Dir: t.TempDir()}
	for _, f := range edit {
		f(&c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	g, err := New(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	to := &client{t: t, g: g, signer: signer{key: []byte(c.Connection.Key)}, published: make(chan *message, 1000), replies: make(chan *message, 1000), questions: make(chan *message, 10)}
	id := zmq4.WithID(zmq4.SocketIdentity(newID()))
	dial := func(s zmq4.Socket, port int) *socket {
		if err := s.Dial(c.Connection.address(port)); err != nil {
			t.Fatal(err)
		}
		return &socket{Socket: s}
	}
	to.shell, to.control, to.stdin = dial(zmq4.NewDealer(ctx, id), ports[0]), dial(zmq4.NewDealer(ctx, id), ports[3]), dial(zmq4.NewDealer(ctx, id), ports[2])
	sub := zmq4.NewSub(ctx)
	iopub := dial(sub, ports[1])
	if err := sub.SetOption(zmq4.OptionSubscribe, ""); err != nil {
		t.Fatal(err)
	}
	for s, list := range map[*socket]chan *message{iopub: to.published, to.shell: to.replies, to.control: to.replies, to.stdin: to.questions} {
		go func() {
			check := signer{key: to.signer.key}
			for {
				raw, err := s.Recv()
				if err != nil {
					return
				}
				m, err := check.parse(raw.Frames)
				if err != nil {
					t.Errorf("the gateway sends what is no message: %v", err)
					continue
				}
				list <- m
			}
		}()
	}
	for subscribed := false; !subscribed; { // the subscription takes a moment to arrive
		to.send(to.shell, "kernel_info_request", map[string]any{})
		to.reply("kernel_info_reply")
		select {
		case <-to.published:
			subscribed = true
		case <-time.After(20 * time.Millisecond):
		}
	}
	return to
}

func (c *client) send(s *socket, msgType string, content any) string {
	c.t.Helper()
	m := &message{header: header{MsgID: newID(), Session: "test", MsgType: msgType, Version: protocolVersion}, content: encode(content)}
	if err := s.send(c.signer.frames(m)); err != nil {
		c.t.Fatal(err)
	}
	return m.header.MsgID
}

const patience = 30 * time.Second

// reply waits for the reply of a type, and returns its content.
func (c *client) reply(msgType string) map[string]any {
	c.t.Helper()
	for {
		select {
		case m := <-c.replies:
			if m.header.MsgType == msgType {
				return content(c.t, m)
			}
		case <-time.After(patience):
			c.t.Fatalf("no %s comes", msgType)
		}
	}
}

func content(t *testing.T, m *message) (out map[string]any) {
	t.Helper()
	if err := json.Unmarshal(m.content, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// ask sends a request, and returns the content of its reply.
func (c *client) ask(msgType string, request any) map[string]any {
	c.t.Helper()
	c.send(c.shell, msgType, request)
	return c.reply(strings.TrimSuffix(msgType, "request") + "reply")
}

// run executes a cell, and returns its reply and what has been published of it, by type.
func (c *client) run(code string) (reply map[string]any, published map[string][]*message) {
	c.t.Helper()
	id := c.send(c.shell, "execute_request", map[string]any{"code": code})
	return c.reply("execute_reply"), c.publishedOf(id)
}

// publishedOf is what is published of a request, until it is idle.
func (c *client) publishedOf(id string) map[string][]*message {
	c.t.Helper()
	out := map[string][]*message{}
	for {
		select {
		case m := <-c.published:
			var parent header
			_ = json.Unmarshal(m.parent, &parent)
			if parent.MsgID != id {
				continue
			}
			out[m.header.MsgType] = append(out[m.header.MsgType], m)
			if m.header.MsgType == "status" && content(c.t, m)["execution_state"] == "idle" {
				return out
			}
		case <-time.After(patience):
			c.t.Fatalf("the request does not become idle; there is %v", out)
		}
	}
}
