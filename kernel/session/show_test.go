package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"strings"
	"testing"
	"time"

	"github.com/gradbook/gradbook/kernel/session/calls"
	"github.com/gradbook/gradbook/viz"
)

type row struct {
	Name string
	N    int
}

type panics struct{}

func (panics) String() string { panic("no") }

type page string

func (h page) Bundle() (viz.Bundle, error) {
	return viz.Bundle{"text/html": string(h), "application/json": `{"a": 1}`}, nil
}

type broken struct{}

func (broken) Bundle() (viz.Bundle, error) { return nil, errors.New("no luck") }

func TestBundle(t *testing.T) {
	many := make([]row, shownRows+1)
	for name, c := range map[string]struct {
		v    any
		form string
		want string
	}{
		"a number":           {3, "text/plain", "3"},
		"a nil map":          {map[string]int(nil), "text/plain", "map[]"},
		"a long text":        {strings.Repeat("é", 8000), "text/plain", strings.Repeat("é", 4000) + fmt.Sprintf("… (%d bytes in all; fmt.Println prints them)", 16000)},
		"structs":            {[]row{{"<a>", 1}}, "text/html", "<table><thead><tr><th>Name</th><th>N</th></tr></thead><tbody><tr><td>&lt;a&gt;</td><td>1</td></tr></tbody></table>"},
		"structs, too":       {[]row{{"<a>", 1}}, "text/plain", "[{Name:<a> N:1}]"},
		"long lists":         {make([]int, 100000), "text/plain", "[" + strings.Repeat("0 ", 200) + "…] (100000 items in all; fmt.Println prints them)"},
		"a struct's address": {&row{"a", 1}, "text/plain", "&{Name:a N:1}"},
		"an error in one":    {struct{ E error }{errors.New("x")}, "text/plain", "{E:x}"},
		"numbers":            {[]struct{ A, B, C float64 }{{0.123456789, 2024, 1.5e-9}}, "text/html", "<table><thead><tr><th>A</th><th>B</th><th>C</th></tr></thead><tbody><tr><td>0.1235</td><td>2024</td><td>1.5e-09</td></tr></tbody></table>"},
		"HTML":               {template.HTML("<i>x</i>"), "text/html", "<i>x</i>"},
		"no structs":         {[]row{}, "text/html", "<nil>"},
		"times":              {[]time.Time{{}}, "text/html", "<nil>"},
		"what shows itself":  {page("<b>"), "text/html", "<b>"},
		"JSON":               {page("<b>"), "application/json", `{"a": 1}`},
		"what cannot":        {broken{}, "text/plain", "no luck"},
		"a method's panic":   {panics{}, "text/plain", "%!v(PANIC=String method: no)"},
		"many structs' rows": {many, "text/html", "…"},
	} {
		content := bundle(c.v)[c.form]
		got := fmt.Sprint(content)
		if raw, ok := content.(json.RawMessage); ok {
			got = string(raw)
		}
		if c.want == "…" {
			if n := strings.Count(got, "<tr>"); n != shownRows+1 || !strings.HasSuffix(got, fmt.Sprintf("<p>%d rows in all</p>", len(many))) {
				t.Errorf("%s: %d rows", name, n)
			}
		} else if got != c.want {
			t.Errorf("%s: got %.200s, want %.200s", name, got, c.want)
		}
	}
}

// An error among results is the cell's, as far as it is one.
func TestCheck(t *testing.T) {
	fails := func(f func()) (err error) {
		defer func() {
			if u, ok := recover().(calls.Unhandled); ok {
				err = u.Err
			}
		}()
		f()
		return nil
	}
	sad := errors.New("sad")
	for name, c := range map[string]struct {
		results []any
		want    error
	}{"none": {nil, nil}, "no error": {[]any{1, nil}, nil}, "an error": {[]any{1, sad}, sad}, "an error that is not last": {[]any{sad, 1}, nil}, "no error at all": {[]any{"sad"}, nil}} {
		if got := fails(func() { calls.Check(c.results...) }); got != c.want { //nolint:errorlint // the same one
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if got := fails(func() { session{}.Show(1, sad) }); got != sad { //nolint:errorlint // the same one
		t.Errorf("shown: got %v", got)
	}
}
