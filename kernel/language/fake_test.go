package language

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// fakeVariable is the environment variable that makes this test's program a language
// server, which writes what it is asked into the file that it names.
const fakeVariable = "GRADBOOK_FAKE_GOPLS"

func TestMain(m *testing.M) {
	if log := os.Getenv(fakeVariable); log != "" {
		if err := fake(log); err != nil && !errors.Is(err, io.EOF) {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// request is what the server was asked: by which method, of which text, and where in it.
type request struct {
	Method, Text    string
	Line, Character int
}

// fake serves until its input ends. It documents every name by that name; what is called
// slow takes half a second, of nothing there is no documentation, die ends it, and bad is
// answered with what is no answer.
func fake(log string) error {
	in := bufio.NewReader(os.Stdin)
	file, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	var text string
	for {
		head, err := textproto.NewReader(in).ReadMIMEHeader()
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(head.Get("Content-Length"))
		if err != nil {
			return err
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(in, body); err != nil {
			return err
		}
		var m struct {
			ID     *int
			Method string
			Params struct {
				TextDocument   struct{ Text string }
				ContentChanges []struct{ Text string }
				Position       struct{ Line, Character int }
			}
		}
		if err := json.Unmarshal(body, &m); err != nil {
			return err
		}
		switch m.Method {
		case "textDocument/didOpen":
			text = m.Params.TextDocument.Text
		case "textDocument/didChange":
			text = m.Params.ContentChanges[0].Text
		}
		at := m.Params.Position
		if m.Method != "" { // else it is an answer
			line, err := json.Marshal(request{m.Method, text, at.Line, at.Character})
			if err != nil {
				return err
			}
			if _, err := file.Write(append(line, '\n')); err != nil {
				return err
			}
		}
		switch m.Method {
		case "initialize": // a server asks, too, before it answers
			send(map[string]any{"id": 1, "method": "workspace/configuration", "params": map[string]any{"items": []any{1, 2}}})
			send(map[string]any{"id": 2, "method": "window/workDoneProgress/create", "params": map[string]any{}})
			send(map[string]any{"method": "window/logMessage", "params": map[string]any{}})
			send(map[string]any{"id": *m.ID, "result": map[string]any{}})
		case "textDocument/completion":
			send(map[string]any{"id": *m.ID, "result": map[string]any{"items": []any{
				map[string]any{"label": "Total", "kind": 2, "detail": "func(p mainʹp3.point) int", "sortText": "2"},
				map[string]any{"label": "total", "kind": 6, "detail": "int", "sortText": "1"},
				map[string]any{"label": "total", "kind": 6, "detail": "int", "sortText": "3"},
				map[string]any{"label": "totʹhidden", "kind": 6, "sortText": "0"},
				map[string]any{"label": "other", "kind": 6, "sortText": "0"},
			}}})
		case "textDocument/hover":
			switch name := nameAt(text, at.Line, at.Character); name {
			case "die":
				return nil
			case "bad":
				send(map[string]any{"id": *m.ID, "result": []int{1}})
			case "nothing":
				send(map[string]any{"id": *m.ID, "result": nil})
			case "slow":
				go func() {
					time.Sleep(500 * time.Millisecond)
					document(*m.ID, name)
				}()
			case "linked":
				document(*m.ID, name+"\n\n[`name` on pkg.go.dev](https://pkg.go.dev/name)")
			default:
				document(*m.ID, name)
			}
		}
	}
}

func document(id int, name string) {
	send(map[string]any{"id": id, "result": map[string]any{"contents": map[string]any{"kind": "markdown", "value": "documentation of " + name}}})
}

func send(m map[string]any) {
	m["jsonrpc"] = "2.0"
	body, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	fmt.Printf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

// nameAt is the name at a place, which is counted in UTF-16.
func nameAt(text string, line, character int) string {
	units := utf16.Encode([]rune(strings.Split(text, "\n")[line]))
	s := string(utf16.Decode(units[:character])) + string(utf16.Decode(units[character:]))
	offset := len(string(utf16.Decode(units[:character])))
	start, end := word(s, offset, true)
	return s[start:end]
}
