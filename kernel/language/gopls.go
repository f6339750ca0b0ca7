// Package language answers questions about the code of cells, by asking gopls.
// A cell is shown to it as part of a file that declares what the notebook has
// declared, so that it knows the session's variables too.
package language

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// client speaks the Language Server Protocol with a gopls process.
//
// Source: https://microsoft.github.io/language-server-protocol/
type client struct {
	in   io.WriteCloser
	done chan struct{}

	mu      sync.Mutex
	next    int
	waiting map[int]chan json.RawMessage
	version int
	text    string
}

var errGone = errors.New("gopls has ended")

// errSlow is what a question that takes too long ends with.
var errSlow = errors.New("gopls takes too long")

// dial starts gopls by start, for the folder dir.
func dial(cmd *exec.Cmd, start func(*exec.Cmd) error, dir string) (*client, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := start(cmd); err != nil {
		return nil, err
	}
	c := &client{in: in, done: make(chan struct{}), waiting: map[int]chan json.RawMessage{}}
	go c.read(bufio.NewReader(out))
	uri := "file://" + dir
	_, err = c.ask("initialize", map[string]any{
		"processId": os.Getpid(), "rootUri": uri,
		"workspaceFolders": []any{map[string]any{"uri": uri, "name": "notebook"}},
		"capabilities": map[string]any{"textDocument": map[string]any{
			"completion": map[string]any{"completionItem": map[string]any{"snippetSupport": false}},
			"hover":      map[string]any{"contentFormat": []string{"markdown"}},
		}},
		"initializationOptions": map[string]any{
			"completionBudget": "800ms", "completeUnimported": false, "diagnosticsTrigger": "Save", "semanticTokens": false,
			"matcher": "CaseInsensitive", "hoverKind": "FullDocumentation", "linksInHover": false,
		},
	}, 30*time.Second)
	if err != nil {
		return nil, err
	}
	return c, c.tell("initialized", map[string]any{})
}

func (c *client) write(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err = fmt.Fprintf(c.in, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return err
}

func (c *client) tell(method string, params any) error {
	return c.write(map[string]any{"jsonrpc": "2.0", "method": method, "params": params})
}

func (c *client) ask(method string, params any, limit time.Duration) (json.RawMessage, error) {
	answer := make(chan json.RawMessage, 1)
	c.mu.Lock()
	c.next++
	id := c.next
	c.waiting[id] = answer
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, id)
		c.mu.Unlock()
	}()
	if err := c.write(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params}); err != nil {
		return nil, err
	}
	select {
	case r := <-answer:
		return r, nil
	case <-c.done:
		return nil, errGone
	case <-time.After(limit):
		return nil, errSlow
	}
}

func (c *client) read(r *bufio.Reader) {
	defer close(c.done)
	for {
		head, err := textproto.NewReader(r).ReadMIMEHeader()
		if err != nil {
			return
		}
		n, err := strconv.Atoi(head.Get("Content-Length"))
		if err != nil {
			return
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		var m struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Result json.RawMessage `json:"result"`
			Params json.RawMessage `json:"params"`
		}
		if err := json.Unmarshal(body, &m); err != nil {
			return
		}
		switch {
		case m.Method == "workspace/configuration":
			var p struct{ Items []any }
			_ = json.Unmarshal(m.Params, &p)
			_ = c.write(map[string]any{"jsonrpc": "2.0", "id": m.ID, "result": make([]any, len(p.Items))})
		case m.Method != "" && len(m.ID) > 0: // a request of the server's
			_ = c.write(map[string]any{"jsonrpc": "2.0", "id": m.ID, "result": nil})
		case m.Method == "":
			id, err := strconv.Atoi(string(m.ID))
			if err != nil {
				continue
			}
			c.mu.Lock()
			answer := c.waiting[id]
			c.mu.Unlock()
			if answer != nil {
				answer <- m.Result
			}
		}
	}
}

// show makes text the content of the file.
func (c *client) show(dir, text string) (uri string, err error) {
	uri = "file://" + filepath.Join(dir, "main.go")
	c.mu.Lock()
	c.version++
	v, same := c.version, c.text == text && c.version > 1
	c.text = text
	c.mu.Unlock()
	switch {
	case same:
		return uri, nil
	case v == 1:
		return uri, c.tell("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": uri, "languageId": "go", "version": v, "text": text}})
	}
	return uri, c.tell("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": uri, "version": v},
		"contentChanges": []any{map[string]any{"text": text}},
	})
}
