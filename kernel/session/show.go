package session

import (
	"fmt"
	"html/template"
	"maps"
	"reflect"
	"strings"

	"github.com/gradbook/gradbook/kernel/session/calls"
	"github.com/gradbook/gradbook/kernel/session/wire"
	"github.com/gradbook/gradbook/viz"
	_ "github.com/gradbook/gradbook/viz/gonb" // what viz shows goes below the cell
)

// Show implements [calls.Session].
func (session) Show(values ...any) {
	calls.Poll() // what has been left behind shows nothing more
	if len(values) > 1 {
		if err, ok := values[len(values)-1].(error); ok && err != nil {
			panic(calls.Unhandled{Err: err})
		}
		if values[len(values)-1] == nil {
			values = values[:len(values)-1]
		}
	}
	if len(values) == 0 || len(values) == 1 && values[0] == nil {
		return
	}
	if len(values) == 1 {
		if err, ok := values[0].(error); ok {
			emitInPlace(wire.Event{Event: "result", Data: map[string]any{"text/plain": text(err)}})
			return
		}
		emitInPlace(wire.Event{Event: "result", Data: bundle(values[0]), Metadata: map[string]any{}})
		return
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = text(v)
	}
	emitInPlace(wire.Event{Event: "result", Data: map[string]any{"text/plain": strings.Join(texts, " ")}})
}

// bundle returns a value's forms by MIME type.
func bundle(v any) (forms map[string]any) {
	defer func() {
		if e := recover(); e != nil { // of the value's own methods
			forms = map[string]any{"text/plain": fmt.Sprintf("%T (showing it panics: %v)", v, e)}
		}
	}()
	if rich, ok := viz.Rich(v); ok {
		b, err := rich.Bundle()
		if err != nil {
			return map[string]any{"text/plain": err.Error()}
		}
		forms = make(map[string]any, len(b))
		for mime, content := range b {
			forms[mime] = decoded(mime, content)
		}
		return forms
	}
	if page, ok := v.(template.HTML); ok {
		return map[string]any{"text/html": string(page), "text/plain": text(v)}
	}
	forms = map[string]any{"text/plain": text(v)}
	if t := rowsAsTable(reflect.ValueOf(v)); t != nil {
		maps.Copy(forms, t.forms())
	}
	return forms
}

func text(v any) string { return viz.Text(v) }
