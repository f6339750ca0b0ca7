package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"github.com/go-zeromq/zmq4"
)

// Connection is Jupyter's connection file.
type Connection struct {
	Transport       string `json:"transport"`
	IP              string `json:"ip"`
	ShellPort       int    `json:"shell_port"`
	IOPubPort       int    `json:"iopub_port"`
	StdinPort       int    `json:"stdin_port"`
	ControlPort     int    `json:"control_port"`
	HBPort          int    `json:"hb_port"`
	Key             string `json:"key"`
	SignatureScheme string `json:"signature_scheme"`
	KernelName      string `json:"kernel_name,omitempty"`
}

// ReadConnection reads a connection file.
func ReadConnection(path string) (Connection, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Connection{}, fmt.Errorf("connection file: %w", err)
	}
	c := Connection{Transport: "tcp", SignatureScheme: "hmac-sha256"}
	if err := json.Unmarshal(content, &c); err != nil {
		return c, fmt.Errorf("connection file %s: %w", path, err)
	}
	if c.SignatureScheme != "hmac-sha256" && c.Key != "" {
		return c, fmt.Errorf("connection file %s: expected the signature scheme hmac-sha256, got %s", path, c.SignatureScheme)
	}
	return c, nil
}

func (c Connection) address(port int) string {
	if c.Transport == "ipc" {
		return fmt.Sprintf("ipc://%s-%d", c.IP, port)
	}
	return fmt.Sprintf("%s://%s:%d", c.Transport, c.IP, port)
}

// socket is one that several goroutines send on.
type socket struct {
	zmq4.Socket
	mu sync.Mutex
}

func (s *socket) send(frames [][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.SendMulti(zmq4.NewMsgFrom(frames...))
}

// sockets are a kernel's five.
type sockets struct {
	shell, control, stdin, iopub, heartbeat *socket
}

func listen(ctx context.Context, c Connection) (*sockets, error) {
	s := &sockets{
		shell: &socket{Socket: zmq4.NewRouter(ctx)}, control: &socket{Socket: zmq4.NewRouter(ctx)}, stdin: &socket{Socket: zmq4.NewRouter(ctx)},
		iopub: &socket{Socket: zmq4.NewPub(ctx)}, heartbeat: &socket{Socket: zmq4.NewRep(ctx)},
	}
	for _, l := range []struct {
		s    *socket
		port int
	}{{s.heartbeat, c.HBPort}, {s.iopub, c.IOPubPort}, {s.stdin, c.StdinPort}, {s.control, c.ControlPort}, {s.shell, c.ShellPort}} {
		if err := l.s.Listen(c.address(l.port)); err != nil {
			s.close()
			return nil, fmt.Errorf("cannot listen at %s: %w", c.address(l.port), err)
		}
	}
	return s, nil
}

func (s *sockets) close() {
	for _, one := range []*socket{s.shell, s.control, s.stdin, s.iopub, s.heartbeat} {
		_ = one.Close() // the process is ending
	}
}

// beat answers the heartbeat, whatever the kernel does.
func (s *sockets) beat() {
	for {
		m, err := s.heartbeat.Recv()
		if err != nil {
			return
		}
		if err := s.heartbeat.send(m.Frames); err != nil {
			return
		}
	}
}
