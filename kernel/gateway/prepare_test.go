package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// TestPrepare: a kernel that has to be set up answers at once; the first cell waits, and shows
// what is done. What cannot be set up is an error of each cell.
func TestPrepare(t *testing.T) {
	begin := make(chan struct{})
	c := connect(t, func(c *Config) {
		c.Prepare = func(_ context.Context, say io.Writer) (Parts, error) {
			fmt.Fprintln(say, "one step")
			<-begin
			fmt.Fprintln(say, "another step")
			return Parts{}, errors.New("no such luck")
		}
	})
	if reply := c.ask("kernel_info_request", map[string]any{}); reply["status"] != "ok" {
		t.Fatalf("expected an answer before all is set up, got %v", reply)
	}
	id := c.send(c.shell, "execute_request", map[string]any{"code": "x"})
	if reply := c.ask("complete_request", map[string]any{"code": "x", "cursor_pos": 1}); reply["status"] != "ok" {
		t.Fatalf("expected an answer while a cell waits, got %v", reply)
	}
	close(begin)
	reply, published := c.reply("execute_reply"), c.publishedOf(id)
	if reply["ename"] != "SetupError" || reply["evalue"] != "no such luck" || !strings.Contains(fmt.Sprint(reply["traceback"]), "gradbook doctor") {
		t.Errorf("expected what went wrong, got %v", reply)
	}
	var said strings.Builder
	for _, m := range published["stream"] {
		fmt.Fprint(&said, content(t, m)["text"])
	}
	if said.String() != "one step\nanother step\n" {
		t.Errorf("expected the steps in the cell, got %q", said.String())
	}
	if reply, _ := c.run("y"); reply["ename"] != "SetupError" {
		t.Errorf("the next cell: got %v", reply)
	}
}

// TestPrepareInterrupted: an interrupt ends the waiting, not the setting up.
func TestPrepareInterrupted(t *testing.T) {
	begin := make(chan struct{})
	c := connect(t, func(c *Config) {
		c.Prepare = func(context.Context, io.Writer) (Parts, error) {
			<-begin
			return Parts{}, nil
		}
	})
	c.send(c.shell, "execute_request", map[string]any{"code": "x"})
	for c.g.current.Load() == nil {
		time.Sleep(time.Millisecond)
	}
	c.send(c.control, "interrupt_request", map[string]any{})
	if reply := c.reply("execute_reply"); reply["ename"] != "KeyboardInterrupt" {
		t.Errorf("expected the cell to be interrupted, got %v", reply)
	}
	close(begin)
}
