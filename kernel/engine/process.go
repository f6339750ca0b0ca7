package engine

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gradbook/gradbook/kernel/children"
	"github.com/gradbook/gradbook/kernel/session/wire"
)

// process is a session's.
type process struct {
	cmd     *exec.Cmd
	config  Config
	in      *json.Encoder
	inFile  *os.File
	ended   chan struct{} // closed when it is gone
	sending sync.Mutex
	mu      sync.Mutex
	sink    Sink
	done    chan *wire.Failure
	why     string // set by who kills it
	answers chan []wire.Variable
	comms   map[string]string // of widgets: targets by id
	streams [2]*stream
	state   *os.ProcessState
	heard   chan struct{} // closed when there are no more events
}

func startProcess(program string, c Config) (*process, error) {
	p := &process{config: c, ended: make(chan struct{}), heard: make(chan struct{}), answers: make(chan []wire.Variable, 1), comms: map[string]string{}}
	reqR, reqW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	evR, evW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd = exec.Command(program)
	p.cmd.Env = c.Env
	p.cmd.ExtraFiles = []*os.File{reqR, evW}
	p.cmd.SysProcAttr = children.OwnGroup()
	var readers, writers [2]*os.File
	for i, name := range []string{"stdout", "stderr"} {
		if readers[i], writers[i], err = os.Pipe(); err != nil {
			return nil, err
		}
		p.streams[i] = newStream(name, p, c)
	}
	p.cmd.Stdout, p.cmd.Stderr = writers[0], writers[1]
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for _, f := range []*os.File{reqR, evW, writers[0], writers[1]} {
		_ = f.Close() // the session has its own
	}
	p.in, p.inFile = json.NewEncoder(reqW), reqW
	for i, r := range readers {
		go p.streams[i].read(r)
	}
	go p.events(evR)
	go func() {
		_ = p.cmd.Wait()
		p.state = p.cmd.ProcessState
		close(p.ended)
	}()
	if c.MemoryLimit > 0 {
		go p.watchMemory()
	}
	return p, nil
}

func (p *process) send(r wire.Request) error {
	p.sending.Lock()
	defer p.sending.Unlock()
	return p.in.Encode(r)
}

// begin makes sink the one that gets all output from now on.
func (p *process) begin(sink Sink) <-chan *wire.Failure {
	for _, s := range p.streams {
		s.flush() // what comes late belongs to the cell before
		s.begin()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sink, p.done = sink, make(chan *wire.Failure, 1)
	return p.done
}

func (p *process) sinkOf() Sink {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sink
}

func (p *process) events(r io.Reader) {
	defer close(p.heard)
	dec := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	dec.UseNumber()
	for {
		var e wire.Event
		if err := dec.Decode(&e); err != nil {
			return
		}
		switch e.Event {
		case "ready":
		case "variables":
			p.answers <- e.Variables
		case "done":
			for _, s := range p.streams {
				s.waitMark(e.Mark)
			}
			p.mu.Lock()
			done, sink := p.done, p.sink
			p.mu.Unlock()
			if sink != nil {
				sink.Event(wire.Event{Event: "took", Milliseconds: e.Milliseconds})
			}
			if done != nil {
				done <- e.Failure
			}
		case "failure":
			if sink := p.sinkOf(); sink != nil && e.Failure.Name != "KeyboardInterrupt" {
				text := "goroutine: " + e.Failure.Name + ": " + e.Failure.Value + "\n"
				for _, f := range e.Failure.Frames {
					text += fmt.Sprintf("    %s:%d", f.File, f.Line)
					if f.Function != "" {
						text += " in " + f.Function
					}
					text += "\n"
				}
				sink.Stream("stderr", text)
			}
		default:
			if e.Event == "comm" {
				p.track(e.Comm)
			}
			show := func() {
				if sink := p.sinkOf(); sink != nil {
					sink.Event(e)
				}
			}
			if e.Mark == "" {
				p.streams[0].flush()
				show()
			} else {
				p.streams[0].at(e.Mark, show)
			}
		}
	}
}

// widgetTargets are the names under which comms for widgets are opened.
var widgetTargets = map[string]bool{"jupyter.widget": true, "jupyter.widget.control": true}

// track remembers which comms are open, also those that a page has opened, and says
// whether a message is of one of them.
func (p *process) track(c *wire.Comm) bool {
	var content struct {
		ID     string `json:"comm_id"`
		Target string `json:"target_name"`
	}
	if json.Unmarshal(c.Content, &content) != nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.comms[content.ID]; !known && !widgetTargets[content.Target] {
		return false
	}
	switch c.Type {
	case "comm_open":
		p.comms[content.ID] = content.Target
	case "comm_close":
		delete(p.comms, content.ID)
	}
	return true
}

func (p *process) variables(names []string) []wire.Variable {
	if err := p.send(wire.Request{Op: "variables", Names: names}); err != nil {
		return nil
	}
	select {
	case v := <-p.answers:
		return v
	case <-p.ended:
	case <-time.After(2 * time.Second):
	}
	return nil
}

// killFor kills the process, and remembers why.
func (p *process) killFor(why string) {
	p.mu.Lock()
	p.why = why
	p.mu.Unlock()
	p.kill()
}

func (p *process) kill() {
	children.KillGroup(p.cmd.Process.Pid)
}

// stop ends the process, and those that its cells have started in its group.
func (p *process) stop() {
	_ = p.inFile.Close()
	select {
	case <-p.ended:
	case <-time.After(200 * time.Millisecond):
	}
	p.kill()
	<-p.ended
}

// reason says how the process ended.
func (p *process) reason() string {
	p.mu.Lock()
	why := p.why
	p.mu.Unlock()
	if why != "" {
		return why
	}
	tail := p.streams[1].lastWords()
	for _, sign := range []struct{ has, says string }{
		{"stack overflow", "stack overflow"},
		{"out of memory", "out of memory"},
		{"SIGSEGV", "a crash in C (SIGSEGV)"},
		{"SIGABRT", "a crash in C (SIGABRT)"},
		{"all goroutines are asleep", "deadlock: all goroutines are asleep"},
		{"concurrent map", "concurrent use of a map"},
		{"panic: ", "a panic in a goroutine of a library"},
		{"fatal error: ", "a fatal error of Go's runtime"},
	} {
		if strings.Contains(tail, sign.has) {
			return "the session died: " + sign.says
		}
	}
	if p.state != nil {
		if s, ok := p.state.Sys().(syscall.WaitStatus); ok && s.Signaled() {
			return fmt.Sprintf("the session died: signal %s", s.Signal())
		}
		return fmt.Sprintf("the cell ended its session with status %d", p.state.ExitCode())
	}
	return "the session died"
}

// drain waits a little for what the process still had to say.
func (p *process) drain() {
	select {
	case <-p.heard: // what is shown has its place in the text
	case <-time.After(300 * time.Millisecond):
	}
	for _, s := range p.streams {
		select {
		case <-s.closed:
		case <-time.After(300 * time.Millisecond): // a child may hold it open
		}
		s.release()
	}
}

// watchMemory ends the process before the system ends more than it.
func (p *process) watchMemory() {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.ended:
			return
		case <-tick.C:
		}
		if children.Resident(p.cmd.Process.Pid) > p.config.MemoryLimit {
			p.killFor(fmt.Sprintf("the session held more than %d MB of memory, its limit, and was ended", p.config.MemoryLimit>>20))
			return
		}
	}
}
