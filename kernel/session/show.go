package session

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/gradbook/gradbook/kernel/session/calls"
	"github.com/gradbook/gradbook/kernel/session/wire"
	"github.com/gradbook/gradbook/viz"
	_ "github.com/gradbook/gradbook/viz/gonb" // what viz shows goes below the cell
)

// maxRows is how many rows of a table are shown.
const maxRows = 60

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
	if t := table(reflect.ValueOf(v)); t != "" {
		forms["text/html"] = t
	}
	return forms
}

func text(v any) string { return viz.Text(v) }

// field is what a table has of a value: of a number with a point, four digits that say something.
func field(v reflect.Value) string {
	if k := v.Kind(); k == reflect.Float32 || k == reflect.Float64 {
		if _, own := v.Type().MethodByName("String"); !own {
			if f := v.Float(); f == math.Trunc(f) && math.Abs(f) < 1e15 {
				return strconv.FormatFloat(f, 'f', 0, 64)
			}
			return strconv.FormatFloat(v.Float(), 'g', 4, 64)
		}
	}
	return fmt.Sprint(v)
}

// table shows a slice of structs as HTML; all else is shown as text.
func table(v reflect.Value) string {
	if v.Kind() != reflect.Slice || v.Len() == 0 || v.Type().Elem().Kind() != reflect.Struct {
		return ""
	}
	t := v.Type().Elem()
	if _, ok := reflect.New(t).Interface().(fmt.Stringer); ok || t.NumField() == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("<table><thead><tr>")
	for i := range t.NumField() {
		fmt.Fprintf(&b, "<th>%s</th>", html.EscapeString(t.Field(i).Name))
	}
	b.WriteString("</tr></thead><tbody>")
	for i := range min(v.Len(), maxRows) {
		b.WriteString("<tr>")
		for j := range t.NumField() {
			fmt.Fprintf(&b, "<td>%s</td>", html.EscapeString(field(v.Index(i).Field(j))))
		}
		b.WriteString("</tr>")
	}
	b.WriteString("</tbody></table>")
	if v.Len() > maxRows {
		fmt.Fprintf(&b, "<p>%d rows in all</p>", v.Len())
	}
	return b.String()
}
