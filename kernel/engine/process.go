package engine

import (
	"bufio"
	"encoding/json"
	"errors"
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
	cmd    *exec.Cmd
	config Config
	output *output
	ended  chan struct{} // closed when it is gone
	heard  sync.WaitGroup

	sending sync.Mutex
	in      *json.Encoder
	inFile  *os.File

	mu        sync.Mutex
	done      chan *wire.Failure
	why       string // set by who kills it
	questions map[int]chan wire.Event
	asked     int
	comms     map[string]string // of widgets: targets by id
	left      int               // runs that are left behind
	state     *os.ProcessState
}

// startProcess starts a session. If a part of it cannot be had, nothing is left open.
func startProcess(program string, c Config) (_ *process, err error) {
	p := &process{config: c, ended: make(chan struct{}), questions: map[int]chan wire.Event{}, comms: map[string]string{}}
	p.output = newOutput(c, p.cellEnded)
	var files []*os.File
	defer func() {
		for _, f := range files { // the session has its own
			_ = f.Close()
		}
	}()
	pipe := func() (r, w *os.File) {
		if err == nil {
			if r, w, err = os.Pipe(); err == nil {
				files = append(files, r, w)
			}
		}
		return r, w
	}
	reqR, reqW := pipe()
	evR, evW := pipe()
	outR, outW := pipe()
	errR, errW := pipe()
	if err != nil {
		return nil, err
	}
	p.cmd = exec.Command(program)
	p.cmd.Env = c.Env
	p.cmd.ExtraFiles = []*os.File{reqR, evW}
	p.cmd.SysProcAttr = children.OwnGroup()
	p.cmd.Stdout, p.cmd.Stderr = outW, errW
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	files = []*os.File{reqR, evW, outW, errW}
	p.in, p.inFile = json.NewEncoder(reqW), reqW
	p.heard.Go(func() { p.output.read(0, outR) })
	p.heard.Go(func() { p.output.read(1, errR) })
	p.heard.Go(func() { p.events(evR) })
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
	p.output.begin(sink)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = make(chan *wire.Failure, 1)
	return p.done
}

func (p *process) cellEnded(e wire.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done != nil {
		p.done <- e.Failure
		p.done = nil
	}
}

func (p *process) events(r io.ReadCloser) {
	defer r.Close() //nolint:errcheck // only read from
	dec := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	dec.UseNumber()
	for {
		var e wire.Event
		if err := dec.Decode(&e); err != nil {
			return
		}
		switch {
		case e.Mark > 0:
			p.output.event(e)
		case e.Event == "ready":
		case e.Event == "variables":
			p.answered(e)
		case e.Event == "left":
			p.mu.Lock()
			p.left = e.Left
			p.mu.Unlock()
		case e.Event == "failure":
			if e.Failure.Name != "KeyboardInterrupt" {
				p.output.now(func(s Sink) { s.Stream("stderr", lateText(e.Failure)) })
			}
		default:
			if e.Event == "comm" {
				p.track(e.Comm)
			}
			p.output.now(func(s Sink) { s.Event(e) })
		}
	}
}

// lateText tells of a failure in a goroutine.
func lateText(f *wire.Failure) string {
	text := "goroutine: " + f.Name + ": " + f.Value + "\n"
	for _, f := range f.Frames {
		text += fmt.Sprintf("    %s:%d", f.File, f.Line)
		if f.Function != "" {
			text += " in " + f.Function
		}
		text += "\n"
	}
	return text
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

// answersWithin is how long the session may take to tell of its variables, whose own
// methods have a second.
const answersWithin = 5 * time.Second

var (
	errBusy   = errors.New("something runs that may change the variables; ask again later")
	errSilent = errors.New("the session does not answer")
)

// ask asks the session about its variables. Its answer has the question's number, so that
// one that comes late is not taken for another's.
func (p *process) ask(r wire.Request) (wire.Event, error) {
	answer := make(chan wire.Event, 1)
	p.mu.Lock()
	p.asked++
	r.ID = p.asked
	p.questions[r.ID] = answer
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.questions, r.ID)
		p.mu.Unlock()
	}()
	if err := p.send(r); err != nil {
		return wire.Event{}, errLost
	}
	select {
	case e := <-answer:
		switch {
		case e.Busy:
			return e, errBusy
		case e.Reason != "":
			return e, errors.New(e.Reason)
		}
		return e, nil
	case <-p.ended:
		return wire.Event{}, errLost
	case <-time.After(answersWithin):
		return wire.Event{}, errSilent
	}
}

func (p *process) answered(e wire.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if answer := p.questions[e.ID]; answer != nil {
		answer <- e
		delete(p.questions, e.ID)
	}
}

// leftBehind says whether runs are left behind.
func (p *process) leftBehind() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.left > 0
}

// killFor kills the process, and remembers why.
func (p *process) killFor(why string) {
	p.mu.Lock()
	p.why = why
	p.mu.Unlock()
	p.kill()
}

func (p *process) kill() { children.KillGroup(p.cmd.Process.Pid) }

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
	tail := p.output.lastWords()
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

// drain waits a little for what the process still had to say: a child of it may hold
// its outputs open.
func (p *process) drain() {
	all := make(chan struct{})
	go func() {
		p.heard.Wait()
		close(all)
	}()
	select {
	case <-all:
	case <-time.After(300 * time.Millisecond):
	}
	p.output.release()
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
