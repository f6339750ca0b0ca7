package gateway

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/session/wire"
)

// What would stop a cell is refused by its name, a reference that there is not too; a
// client that clicks for a breakpoint gets none.
func TestDebugRefused(t *testing.T) {
	g := &Gateway{}
	for content, want := range map[string]string{
		`{"command":"stepIn","seq":3}`: "\"stepIn\" is not supported", `{"command":"evaluate"}`: "not supported",
		`{"command":"variables","arguments":{"variablesReference":4}}`: "got 4", `{"command":`: "unexpected end",
		`{"command":"richInspectVariables","arguments":{"variableName":"x"}}`: "x can be shown",
	} {
		reply := g.debugRequest(&message{content: json.RawMessage(content)}).(map[string]any)
		if text, _ := reply["message"].(string); reply["success"] != false || !strings.Contains(text, want) {
			t.Errorf("%s: got %v, want %s", content, reply, want)
		}
	}
	for _, command := range []string{"debugInfo", "initialize", "attach", "inspectVariables", "setBreakpoints", "disconnect"} {
		reply := g.debugRequest(&message{content: json.RawMessage(`{"seq":7,"command":"` + command + `"}`)}).(map[string]any)
		if reply["success"] != true || reply["request_seq"] != 7 {
			t.Errorf("%s: got %v", command, reply)
		}
	}
}

// A value keeps its reference from one question to the next.
func TestDebugReferences(t *testing.T) {
	var d debugging
	v := wire.Variable{Name: "a", Type: "[]int", Shape: "2", Bytes: 40, Text: "[1 2]", Inside: true}
	first := d.variable(v, place{name: "a"}).(map[string]any)
	second := d.variable(v, place{name: "a", path: []int{1}}).(map[string]any)
	again := d.variable(v, place{name: "a"}).(map[string]any)
	if first["variablesReference"] != 1 || second["variablesReference"] != 2 || again["variablesReference"] != 1 {
		t.Errorf("got %v, %v, %v", first, second, again)
	}
	if first["type"] != "[]int · 2 · 40 B" || first["value"] != "[1 2]" || first["evaluateName"] != "a" {
		t.Errorf("got %v", first)
	}
	leaf := d.variable(wire.Variable{Name: "n", Type: "int", Bytes: 8, Text: "3"}, place{name: "n"}).(map[string]any)
	if leaf["type"] != "int = 3" || leaf["variablesReference"] != 0 {
		t.Errorf("got %v", leaf)
	}
}

// A subshell is there until it is deleted; nothing is executed in one.
func TestSubshells(t *testing.T) {
	g := &Gateway{}
	id, _ := g.createSubshell(nil).(map[string]any)["subshell_id"].(string)
	if got := g.listSubshells(nil).(map[string]any)["subshell_id"].([]string); id == "" || len(got) != 1 || got[0] != id {
		t.Errorf("got %v, want %s", got, id)
	}
	for _, want := range []string{"ok", "error"} {
		if got := g.deleteSubshell(&message{content: encode(map[string]any{"subshell_id": id})}).(map[string]any)["status"]; got != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
	if got := g.listSubshells(nil).(map[string]any)["subshell_id"].([]string); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}
