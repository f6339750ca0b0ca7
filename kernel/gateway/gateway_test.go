package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
)

// Messages that are not well formed, not signed, or were here before are dropped, and
// counted.
func TestParse(t *testing.T) {
	s := signer{key: []byte("secret")}
	good := func() [][]byte {
		return s.frames(&message{identities: [][]byte{[]byte("a")}, header: header{MsgID: newID(), MsgType: "kernel_info_request"}, buffers: [][]byte{{1}}})
	}
	check := signer{key: []byte("secret")}
	m, err := check.parse(good())
	if err != nil || m.header.MsgType != "kernel_info_request" || len(m.identities) != 1 || len(m.buffers) != 1 {
		t.Fatalf("got %+v, %v", m, err)
	}
	again := good()
	if _, err := check.parse(again); err != nil {
		t.Fatal(err)
	}
	signed := func(header, rest string) [][]byte {
		parts := [][]byte{[]byte(header), []byte("{}"), []byte("{}"), []byte(rest)}
		return append([][]byte{delimiter, []byte(s.sign(parts...))}, parts...)
	}
	for name, c := range map[string]struct {
		frames [][]byte
		want   string
	}{
		"nothing": {nil, errFrames.Error()}, "no delimiter": {good()[3:], errFrames.Error()}, "too few parts": {good()[:5], errFrames.Error()},
		"a replay":         {again, errReplay.Error()},
		"another content":  {append(good()[:6], []byte(`{"a":1}`)), errSignature.Error()},
		"no hexadecimals":  {append([][]byte{delimiter, []byte("zz")}, good()[3:7]...), errSignature.Error()},
		"no JSON":          {signed("{", "{}"), "header: "},
		"no object":        {signed(`{"msg_id":"a","msg_type":"b"}`, "[]"), "expected JSON objects"},
		"no id":            {signed(`{"msg_type":"b"}`, "{}"), errFrames.Error()},
		"another's secret": {(&signer{key: []byte("other")}).frames(&message{header: header{MsgID: "a", MsgType: "b"}}), errSignature.Error()},
	} {
		if _, err := check.parse(c.frames); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	open := signer{}
	if _, err := open.parse(good()); err != nil {
		t.Errorf("without a key: %v", err)
	}
}

func FuzzParseMessage(f *testing.F) {
	s := signer{}
	f.Add(bytes.Join(s.frames(&message{header: header{MsgID: "a", MsgType: "b"}, content: []byte(`{"a":[1]}`)}), []byte("\n")))
	f.Add([]byte("a\n<IDS|MSG>\n\n{}\n{}\n{}\n{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := (&signer{}).parse(bytes.Split(b, []byte("\n")))
		if err != nil {
			return
		}
		again, err := (&signer{}).parse((&signer{}).frames(m))
		if err != nil || again.header != m.header || !bytes.Equal(again.content, m.content) {
			t.Errorf("%+v became %+v, %v", m, again, err)
		}
	})
}

// A client that sends rubbish is answered as soon as it sends sense, and rubbish is counted.
func TestDropped(t *testing.T) {
	c, _ := withFake(t)
	if err := c.shell.send([][]byte{delimiter, []byte("no signature"), []byte("{}"), []byte("{}"), []byte("{}"), []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	c.send(c.shell, "no_such_request", map[string]any{})
	if got := c.ask("kernel_info_request", map[string]any{}); got["status"] != "ok" {
		t.Errorf("got %v", got)
	}
	for range 100 {
		if c.g.Dropped.Load() == 1 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d messages are counted as dropped, want 1", c.g.Dropped.Load())
}

func TestHeartbeat(t *testing.T) {
	c, _ := withFake(t)
	s := zmq4.NewReq(t.Context())
	defer s.Close()
	if err := s.Dial(c.g.Connection.address(c.g.Connection.HBPort)); err != nil {
		t.Fatal(err)
	}
	if err := s.Send(zmq4.NewMsgString("are you there?")); err != nil {
		t.Fatal(err)
	}
	if m, err := s.Recv(); err != nil || string(m.Frames[0]) != "are you there?" {
		t.Errorf("got %v, %v", m, err)
	}
}

// What a person asks for is said to be wrong where it is.
func TestBadRequests(t *testing.T) {
	c, _ := withFake(t)
	for msgType, request := range map[string]map[string]any{
		"execute_request": {"code": 3}, "history_request": {"n": "three"},
	} {
		if got := c.ask(msgType, request); got["status"] != "error" || got["ename"] != "ValueError" {
			t.Errorf("%s: got %v", msgType, got)
		}
	}
}

func TestShutdown(t *testing.T) {
	c, _ := withFake(t)
	c.run("print a")
	c.send(c.control, "shutdown_request", map[string]any{"restart": true})
	if got := c.reply("shutdown_reply"); got["restart"] != true {
		t.Errorf("got %v", got)
	}
}

// Inputs are kept for later sessions, several kernels' in one file, and found again.
func TestHistory(t *testing.T) {
	name := filepath.Join(t.TempDir(), "deep", "history")
	first := openHistory(name, nil)
	for i, input := range []string{"a := 1", "b(\n2)", "a := 1"} {
		first.add(i+1, input)
	}
	first.close()
	if err := os.WriteFile(name, append(must(os.ReadFile(name)), "{\"torn"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0); err != nil {
		t.Fatal(err)
	} else if _, err := f.WriteString("\n"); err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	h := openHistory(name, nil)
	defer h.close()
	h.add(1, "c")
	two, one := 2, 1
	for _, c := range []struct {
		q    historyQuery
		want []string
	}{
		{historyQuery{Type: "tail"}, []string{"1/1 a := 1", "1/2 b(\n2)", "1/3 a := 1", "2/1 c"}},
		{historyQuery{Type: "tail", N: &two}, []string{"1/3 a := 1", "2/1 c"}},
		{historyQuery{Type: "range", Session: 0}, []string{"2/1 c"}},
		{historyQuery{Type: "range", Session: -1, Start: 2}, []string{"1/2 b(\n2)", "1/3 a := 1"}},
		{historyQuery{Type: "range", Session: 1, Start: 1, Stop: &two}, []string{"1/1 a := 1"}},
		{historyQuery{Type: "search", Pattern: "a*"}, []string{"1/1 a := 1", "1/3 a := 1"}},
		{historyQuery{Type: "search", Pattern: "a*", Unique: true}, []string{"1/3 a := 1"}},
		{historyQuery{Type: "search", Pattern: "*2)", N: &one}, []string{"1/2 b(\n2)"}},
		{historyQuery{Type: "search", Pattern: "?"}, []string{"2/1 c"}},
		{historyQuery{Type: "search", Pattern: "x"}, nil},
	} {
		var got []string
		for _, e := range h.find(c.q) {
			got = append(got, fmt.Sprintf("%d/%d %s", e.Session, e.Line, e.Input))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %q, want %q", c.q, got, c.want)
		}
	}
	c, _ := withFake(t)
	c.run("print x")
	if got := fmt.Sprint(c.ask("history_request", map[string]any{"hist_access_type": "tail", "output": true})["history"]); got != "[[1 1 [print x <nil>]]]" {
		t.Errorf("got %s", got)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"*", "", true}, {"?", "", false}, {"a*c", "abbc", true}, {"a*c", "abcb", false}, {"*a*b*", "xxaxxb", true}, {"a?c", "aéc", true}, {"*x*", "a/x\nb", true}, {"[a]", "a", false}, {"[a]", "[a]", true},
	} {
		if got := globAll(c.pattern, c.text); got != c.want {
			t.Errorf("%q in %q: %v", c.pattern, c.text, got)
		}
	}
}

func TestReadConnection(t *testing.T) {
	dir := t.TempDir()
	for content, want := range map[string]string{
		`{"ip":"127.0.0.1","shell_port":5,"key":"k"}`:                "",
		`{"ip":"127.0.0.1","key":"k","signature_scheme":"hmac-md5"}`: "expected the signature scheme hmac-sha256, got hmac-md5",
		`{"ip":`:                         "unexpected end of JSON input",
		`{"signature_scheme":"","ip":3}`: "cannot unmarshal",
	} {
		file := filepath.Join(dir, "c.json")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := ReadConnection(file)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", content, err, want)
		}
		if err == nil && c.address(5) != "tcp://127.0.0.1:5" {
			t.Errorf("got %s", c.address(5))
		}
	}
	if _, err := ReadConnection(filepath.Join(dir, "nosuch")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if got := (Connection{Transport: "ipc", IP: "/tmp/x"}).address(2); got != "ipc:///tmp/x-2" {
		t.Errorf("got %s", got)
	}
}
