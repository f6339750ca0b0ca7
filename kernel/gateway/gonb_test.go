package gateway

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// withFake has a gateway without a session: all cells are GoNB's.
func withFake(t *testing.T) (*client, *atomic.Pointer[fakeGoNB]) {
	t.Helper()
	var now atomic.Pointer[fakeGoNB]
	return connect(t, func(c *Config) { c.GoNB = startFake(t, func(f *fakeGoNB) { now.Store(f) }) }), &now
}

func TestGoNBCells(t *testing.T) {
	c, _ := withFake(t)
	reply, published := c.run("print hello")
	if reply["status"] != "ok" || len(published["stream"]) != 1 || content(t, published["stream"][0])["text"] != "hello" {
		t.Errorf("got %v and %v", reply, published)
	}
	if n := len(published["status"]); n != 2 {
		t.Errorf("%d messages tell of the state, want busy and idle: GoNB's own are not the kernel's", n)
	}
	reply, published = c.run("show <b>")
	if reply["execution_count"] != 2.0 || len(published["display_data"]) != 1 || string(published["display_data"][0].buffers[0]) != "a buffer" {
		t.Errorf("got %v and %v", reply, published)
	}
	reply, published = c.run("fail no luck")
	if reply["status"] != "error" || reply["evalue"] != "no luck" || fmt.Sprint(reply["traceback"]) != "[here]" || len(published["error"]) != 1 {
		t.Errorf("got %v and %v", reply, published)
	}
}

// What GoNB asks for is asked of the client that executes the cell.
func TestGoNBInput(t *testing.T) {
	c, _ := withFake(t)
	id := c.send(c.shell, "execute_request", map[string]any{"code": "ask your name", "allow_stdin": true})
	select {
	case q := <-c.questions:
		if got := content(t, q)["prompt"]; got != "your name" {
			t.Errorf("asked is %v", got)
		}
	case <-time.After(patience):
		t.Fatal("nothing is asked")
	}
	c.send(c.stdin, "input_reply", map[string]any{"value": "Ada"})
	c.reply("execute_reply")
	if s := c.publishedOf(id)["stream"]; len(s) != 1 || content(t, s[0])["text"] != "you said Ada" {
		t.Errorf("got %v", s)
	}
}

// An interrupt is repeated until GoNB heeds it, and what is queued does not run.
func TestGoNBInterrupt(t *testing.T) {
	c, fake := withFake(t)
	c.run("print warm")
	c.send(c.shell, "execute_request", map[string]any{"code": "hang"})
	c.send(c.shell, "execute_request", map[string]any{"code": "print never"})
	for !slices.Contains(fake.Load().ran(), "hang") {
		time.Sleep(time.Millisecond)
	}
	c.send(c.control, "interrupt_request", map[string]any{})
	if first := c.reply("execute_reply"); first["status"] != "error" {
		t.Errorf("got %v", first)
	}
	if second := c.reply("execute_reply"); second["status"] != "aborted" {
		t.Errorf("got %v", second)
	}
	if slices.Contains(fake.Load().ran(), "print never") {
		t.Error("what was queued has run")
	}
	if reply, _ := c.run("print again"); reply["status"] != "ok" {
		t.Errorf("after an interrupt: got %v", reply)
	}
}

// When GoNB dies its cell says so, and the next starts another, which is told again what
// the first was told.
func TestGoNBDeath(t *testing.T) {
	c, fake := withFake(t)
	c.run("print warm")
	c.g.gonb.remember("%env A=b")
	first := fake.Load()
	for !slices.Contains(first.ran(), "%env A=b") {
		time.Sleep(time.Millisecond)
	}
	if reply, _ := c.run("die"); reply["ename"] != "GoNBDied" {
		t.Errorf("got %v", reply)
	}
	if reply, _ := c.run("print again"); reply["status"] != "ok" {
		t.Errorf("got %v", reply)
	}
	second := fake.Load()
	if got, want := second.ran(), []string{"%env A=b", "print again"}; second == first || !slices.Equal(got, want) {
		t.Errorf("the second was told %q, want %q", got, want)
	}
}

func TestGoNBDoesNotStart(t *testing.T) {
	c := connect(t, func(c *Config) { c.GoNB = func(string) (Process, error) { return nil, errors.New("no such program") } })
	if reply, _ := c.run("print a"); reply["ename"] != "GoNBError" || !strings.Contains(fmt.Sprint(reply["evalue"]), "cannot start GoNB: no such program") {
		t.Errorf("got %v", reply)
	}
	c = connect(t, func(c *Config) {
		c.GoNB = startFake(t, func(f *fakeGoNB) { f.Kill() })
	})
	if reply, _ := c.run("print a"); reply["ename"] != "GoNBError" || !strings.Contains(fmt.Sprint(reply["evalue"]), "ended at its start") {
		t.Errorf("got %v", reply)
	}
}

// Comms that GoNB opens are known, and get what clients say.
func TestGoNBComms(t *testing.T) {
	c, fake := withFake(t)
	_, published := c.run("open abc")
	if len(published["comm_open"]) != 1 {
		t.Errorf("got %v", published)
	}
	if got := fmt.Sprint(c.ask("comm_info_request", map[string]any{})["comms"]); got != "map[abc:map[target_name:there]]" {
		t.Errorf("open are %s", got)
	}
	c.send(c.shell, "comm_msg", map[string]any{"comm_id": "abc", "data": 3})
	c.run("close abc") // in its turn
	if got := fmt.Sprint(c.ask("comm_info_request", map[string]any{})["comms"]); got != "map[]" {
		t.Errorf("open are %s", got)
	}
	f := fake.Load()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.comms) != 1 || !strings.Contains(f.comms[0], `"data":3`) {
		t.Errorf("GoNB has got %q", f.comms)
	}
}

// The notebook's module is the newest of GoNB's folders.
func TestGoNBModule(t *testing.T) {
	c, _ := withFake(t)
	if dir, err := c.g.gonb.module(); err != nil || dir != "" {
		t.Errorf("without any: got %q, %v", dir, err)
	}
	for i, name := range []string{"gonb_b", "gonb_a"} {
		dir := filepath.Join(c.g.Dir, name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "go.mod")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(int64(1e9+i), 0)
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if dir, err := c.g.gonb.module(); err != nil || filepath.Base(dir) != "gonb_a" {
		t.Errorf("got %q, %v", dir, err)
	}
}
