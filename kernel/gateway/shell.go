package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/semver"

	"github.com/gradbook/gradbook/kernel/dialect"
)

// Shell runs a command of a shell. What it writes to its standard error is shown with
// its output, in one order, as in a terminal.
func (e *execution) Shell(command string, inModule bool) error {
	if strings.TrimSpace(command) == "" {
		return errors.New("expected a command")
	}
	cmd := e.g.Command("bash", "-c", command)
	if inModule {
		dir, err := e.moduleDir()
		if err != nil {
			return err
		}
		cmd.Dir = dir
	}
	err := e.child(cmd, "")
	if inModule && err != nil {
		if hint := e.olderHint(command); hint != "" {
			return fmt.Errorf("%w; %s", err, hint)
		}
	}
	return err
}

// moduleDir is the folder of the notebook's module: the person's own, or GoNB's.
func (e *execution) moduleDir() (string, error) {
	if engine := e.g.engine(); engine != nil {
		if home := engine.Builder().Home(); home != nil {
			return home.Dir, nil
		}
	}
	return e.g.gonb.module()
}

// Script runs an interpreter with a text as its input.
func (e *execution) Script(argv []string, text string) error {
	return e.child(e.g.Command(argv[0], argv[1:]...), text)
}

// inputKind is what a command of a shell asks a person for.
type inputKind struct{ password bool }

// Inputs has the next command of a shell ask for its input.
func (e *execution) Inputs(password bool) error {
	if !e.stdin() {
		return errors.New("this client cannot ask for any input")
	}
	e.inputs = &inputKind{password}
	return nil
}

// shellGrace is how long a command may take to end after an interrupt.
const shellGrace = 5 * time.Second

// child runs a command to its end. A process that it leaves behind may go on, and write.
func (e *execution) child(cmd *exec.Cmd, input string) error {
	out, outW, err := os.Pipe()
	if err != nil {
		return err
	}
	in, inW, err := os.Pipe()
	if err != nil {
		return errors.Join(err, out.Close(), outW.Close())
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, outW, outW
	process, err := e.g.Start(cmd)
	err = errors.Join(err, in.Close(), outW.Close()) // the child has its own
	if err != nil {
		return errors.Join(err, out.Close(), inW.Close())
	}
	asks := e.inputs
	e.inputs = nil
	go func() {
		defer inW.Close() //nolint:errcheck // the child may have ended
		_, _ = io.WriteString(inW, input)
		if asks != nil {
			e.feed(inW, process, asks.password)
		}
	}()
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer out.Close() //nolint:errcheck // only read from
		e.pass(out)
	}()
	e.wait(process)
	select {
	case <-read:
	case <-time.After(200 * time.Millisecond): // a child of it holds it open
	}
	if status := cmd.ProcessState; !status.Success() {
		return &dialect.StatusError{Status: status.String()}
	}
	return nil
}

// wait waits for a process, which an interrupt ends with its group.
func (e *execution) wait(process Process) {
	interrupts, deadline := e.ctx.Done(), (<-chan time.Time)(nil)
	for {
		select {
		case <-process.Done():
			return
		case <-interrupts:
			interrupts, deadline = nil, time.After(shellGrace)
			process.InterruptGroup()
		case <-deadline:
			process.Kill()
		}
	}
}

// feed asks the person for lines as long as the process runs. One that ends soon asks
// for none.
func (e *execution) feed(in io.Writer, process Process, password bool) {
	for {
		select {
		case <-process.Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
		answer := make(chan string, 1)
		e.g.inputs.ask(e, "", password, func(line string) { answer <- line })
		select {
		case line := <-answer:
			if _, err := io.WriteString(in, line+"\n"); err != nil {
				return
			}
		case <-process.Done():
			e.g.inputs.cancel()
			return
		}
	}
}

// pass passes on what a process writes, whole runes at a time.
func (e *execution) pass(r io.Reader) {
	var rest []byte
	chunk := make([]byte, 1<<15)
	for {
		n, err := r.Read(chunk)
		text := slices.Concat(rest, chunk[:n])
		rest = nil
		if cut := lastRune(text); err == nil && cut < len(text) {
			text, rest = text[:cut], bytes.Clone(text[cut:])
		}
		if len(text) > 0 {
			e.Stream("stdout", strings.ToValidUTF8(string(text), "�"))
		}
		if err != nil {
			return
		}
	}
}

// lastRune is where a rune begins that is not whole, or the text's end.
func lastRune(text []byte) int {
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		if at := len(text) - back; utf8.RuneStart(text[at]) {
			if !utf8.FullRune(text[at:]) {
				return at
			}
			break
		}
	}
	return len(text)
}

var goGet = regexp.MustCompile(`\bgo\s+get\b.*?\s([\w./~-]+)@(v[\w.+-]+)`)

// olderHint says why a version of a module cannot be had that is older than the one that
// the session holds.
func (e *execution) olderHint(command string) string {
	m := goGet.FindStringSubmatch(command)
	if m == nil {
		return ""
	}
	own := e.g.engine().Builder().HostModule(m[1])
	if own == "" || semver.Compare(m[2], own) >= 0 {
		return ""
	}
	return fmt.Sprintf("Gradbook itself uses %s %s, and there can be no older one beside it", m[1], own)
}
