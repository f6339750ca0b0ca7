package session

import (
	"encoding/gob"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/gradbook/gradbook/kernel/session/wire"
)

// gonbui opens its pipes once in a process and sends each type's description
// once, but a session outlives many cells. So it gets pipes of the session's
// own, and what comes out of them goes to the kernel as events.

// displayPipe is the pipe by which gonbui sends what is to be shown; displayed says that
// it has sent something since it was last waited for.
var (
	displayPipe string
	displayed   atomic.Bool
)

// displaysInPlace waits until what gonbui has sent has its place before what is printed
// next.
func displaysInPlace() {
	if !displayed.Swap(false) {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		gonbui.Sync()
		displayed.Store(false) // by asking
	}()
	select {
	case <-done:
	case <-time.After(time.Second): // a print is not lost because a display is
	}
}

func listenDisplays() error {
	dir, err := os.MkdirTemp("", "gradbook-pipes-")
	if err != nil {
		return err
	}
	to, from := filepath.Join(dir, "out"), filepath.Join(dir, "back")
	for _, path := range []string{to, from} {
		if err := mkfifo(path); err != nil {
			return err
		}
	}
	// Opened for both directions, a pipe neither waits for its other end nor ends.
	r, err := os.OpenFile(to, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	back, err := os.OpenFile(from, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	for key, value := range map[string]string{protocol.GONB_PIPE_ENV: to, protocol.GONB_PIPE_BACK_ENV: from} {
		if err := os.Setenv(key, value); err != nil {
			return err
		}
	}
	gonbui.IsNotebook = true
	if err := gonbui.Open(); err != nil {
		return err
	}
	displayPipe = to
	_ = os.RemoveAll(dir) // both ends are open
	go readDisplays(r, gob.NewEncoder(back))
	return nil
}

func readDisplays(r io.Reader, back *gob.Encoder) {
	dec := gob.NewDecoder(r)
	for {
		data := &protocol.DisplayData{}
		if err := dec.Decode(data); err != nil {
			if !errors.Is(err, io.EOF) {
				displayed.Store(false) // nobody is left to wait for
				_, _ = io.WriteString(stderr, "gradbook: displays have ended: "+err.Error()+"\n")
			}
			return
		}
		if v, ok := data.Data[protocol.MIMECommValue].(protocol.CommValue); ok {
			if v.Address == protocol.GonbuiSyncAddress {
				_ = back.Encode(&protocol.CommValue{Address: protocol.GonbuiSyncAckAddress, Value: v.Value})
			}
			continue
		}
		if q, ok := data.Data[protocol.MIMEJupyterInput].(protocol.InputRequest); ok {
			input.ask(q.Prompt, q.Password)
			continue
		}
		if wait, ok := data.Data["application/vnd.gradbook.clear-output"]; ok {
			emitInPlace(wire.Event{Event: "clear", Wait: wait == "wait"})
			continue
		}
		e := wire.Event{Event: "display", Data: map[string]any{}, Metadata: data.Metadata, DisplayID: data.DisplayID}
		for mime, content := range data.Data {
			e.Data[string(mime)] = decoded(string(mime), content)
		}
		emitInPlace(e)
	}
}

// decoded is content as it goes into a message: what is JSON as JSON, all else as
// it is.
func decoded(mime string, content any) any {
	if mime != "application/json" && !strings.HasSuffix(mime, "+json") {
		return content
	}
	var raw []byte
	switch c := content.(type) {
	case string:
		raw = []byte(c)
	case []byte:
		raw = c
	}
	if !json.Valid(raw) {
		return content
	}
	return json.RawMessage(raw)
}

// flushDisplays waits until all that was displayed is on its way.
func flushDisplays() { gonbui.Sync() }
