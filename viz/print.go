package viz

import (
	"fmt"
	"os"
	"reflect"
	"strings"
)

// What Text has of a value is bounded: bytes, items of a list.
const (
	maxText  = 8000
	maxItems = 200
)

// Print prints values as a cell shows those that it ends in, in a line: charts, tables and
// models by their texts, all else as [Text] has it. An error behind other values panics, if
// it is not nil. It is what "gradbook script" puts in the place of a last expression; in a
// cell, it prints too.
func Print(values ...any) {
	if n := len(values); n > 1 {
		if err, ok := values[n-1].(error); ok && err != nil {
			panic(err)
		}
		if values[n-1] == nil {
			values = values[:n-1]
		}
	}
	if len(values) == 0 || len(values) == 1 && values[0] == nil {
		return
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = Text(v)
	}
	if _, isErr := values[0].(error); len(values) == 1 && !isErr {
		if rich, ok := Rich(values[0]); ok {
			b, err := rich.Bundle()
			if texts[0] = fmt.Sprint(b[MIMEPlain]); err != nil {
				texts[0] = err.Error()
			}
		}
	}
	fmt.Fprintln(os.Stdout, strings.Join(texts, " "))
}

// Text is a value as fmt prints it, structs with the names of their fields; of more than
// 200 items or 8,000 bytes, the beginning.
func Text(v any) string {
	s := short(v)
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + fmt.Sprintf("… (%d bytes in all; fmt.Println prints them)", len(s))
	}
	return s
}

func short(v any) string {
	r := reflect.ValueOf(v)
	switch v.(type) {
	case error, fmt.Formatter: // some print where they come from if names are asked for
		return fmt.Sprintf("%v", v)
	case fmt.Stringer:
		return fmt.Sprintf("%v", v)
	}
	if k := r.Kind(); (k == reflect.Slice || k == reflect.Array && r.CanAddr()) && r.Len() > maxItems && r.Type().Elem().Kind() != reflect.Uint8 {
		first := fmt.Sprintf("%+v", r.Slice(0, maxItems).Interface())
		return strings.TrimSuffix(first, "]") + fmt.Sprintf(" …] (%d items in all; fmt.Println prints them)", r.Len())
	}
	return fmt.Sprintf("%+v", v)
}
