package session

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gradbook/gradbook/kernel/session/wire"
)

// Of a table, shownRows are in its output; a page asks for others. The last keptTables can
// be asked for.
const (
	shownRows  = 60
	maxRows    = 500 // at a time
	keptTables = 20
	tableMIME  = "application/vnd.gradbook.table.v1+json"
)

// table is a value that is shown as rows: a slice of structs, of maps or of slices, a map.
type table struct {
	columns []column
	rows    int
	at      func(row, column int) reflect.Value // invalid if the row lacks the column

	mu    sync.Mutex
	key   string // what order is for
	order []int
}

type column struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Number bool   `json:"number,omitempty"`
}

func newColumn(name string, t reflect.Type) column {
	k := t.Kind()
	return column{name, typeName(t), k >= reflect.Int && k <= reflect.Complex128}
}

// tables are those that were shown last, by their numbers.
var tables struct {
	sync.Mutex
	next  int
	shown map[string]*table
}

// rowsAsTable is a value as a table; nil if it is none.
func rowsAsTable(v reflect.Value) *table {
	switch {
	case v.Kind() == reflect.Map && v.Len() > 0 && !hasString(v.Type()):
		return mapTable(v)
	case v.Kind() != reflect.Slice || v.Len() == 0 || hasString(v.Type()):
		return nil
	}
	e := v.Type().Elem()
	s := e
	if e.Kind() == reflect.Pointer {
		s = e.Elem()
	}
	switch {
	case s.Kind() == reflect.Struct && !hasString(e) && !hasString(s) && s.NumField() > 0:
		return structTable(v, s)
	case e.Kind() == reflect.Map && e.Key().Kind() == reflect.String:
		return recordTable(v, e)
	case e.Kind() == reflect.Slice && e.Elem().Kind() == reflect.String: // as of a CSV file
		return listTable(v, e)
	}
	return nil
}

func hasString(t reflect.Type) bool {
	_, ok := reflect.New(t).Interface().(fmt.Stringer)
	return ok
}

func structTable(v reflect.Value, s reflect.Type) *table {
	t := &table{rows: v.Len(), at: func(row, column int) reflect.Value {
		one := v.Index(row)
		if one.Kind() == reflect.Pointer {
			if one.IsNil() {
				return reflect.Value{}
			}
			one = one.Elem()
		}
		return one.Field(column)
	}}
	for i := range s.NumField() {
		t.columns = append(t.columns, newColumn(s.Field(i).Name, s.Field(i).Type))
	}
	return t
}

// recordTable has a column for each key of the first maps.
func recordTable(v reflect.Value, e reflect.Type) *table {
	names := map[string]bool{}
	for i := range min(v.Len(), 1000) {
		for _, key := range v.Index(i).MapKeys() {
			names[key.String()] = true
		}
	}
	if len(names) == 0 || len(names) > 200 {
		return nil
	}
	t := &table{rows: v.Len()}
	for name := range names {
		t.columns = append(t.columns, newColumn(name, e.Elem()))
	}
	slices.SortFunc(t.columns, func(a, b column) int { return cmp.Compare(a.Name, b.Name) })
	t.at = func(row, column int) reflect.Value {
		return v.Index(row).MapIndex(reflect.ValueOf(t.columns[column].Name).Convert(e.Key()))
	}
	return t
}

func listTable(v reflect.Value, e reflect.Type) *table {
	wide := 0
	for i := range v.Len() {
		wide = max(wide, v.Index(i).Len())
	}
	if wide == 0 || wide > 200 {
		return nil
	}
	t := &table{rows: v.Len(), at: func(row, column int) reflect.Value {
		if one := v.Index(row); column < one.Len() {
			return one.Index(column)
		}
		return reflect.Value{}
	}}
	for i := range wide {
		t.columns = append(t.columns, newColumn(fmt.Sprint(i), e.Elem()))
	}
	return t
}

func mapTable(v reflect.Value) *table {
	keys := v.MapKeys()
	slices.SortStableFunc(keys, compareKeys)
	values := make([]reflect.Value, len(keys))
	for i, key := range keys {
		values[i] = v.MapIndex(key)
	}
	return &table{
		columns: []column{newColumn("key", v.Type().Key()), newColumn("value", v.Type().Elem())}, rows: len(keys),
		at: func(row, column int) reflect.Value {
			if column == 0 {
				return keys[row]
			}
			return values[row]
		},
	}
}

// field is what a table has of a value: of a number with a point, four digits that say something.
func field(v reflect.Value) string {
	for v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	switch k := v.Kind(); {
	case k == reflect.Invalid:
		return ""
	case k == reflect.Float32 || k == reflect.Float64:
		if hasString(v.Type()) {
			break
		}
		if f := v.Float(); f == math.Trunc(f) && math.Abs(f) < 1e15 {
			return strconv.FormatFloat(f, 'f', 0, 64)
		}
		return strconv.FormatFloat(v.Float(), 'g', 4, 64)
	case k == reflect.String && !hasString(v.Type()):
		return v.String()
	}
	s := fmt.Sprint(v)
	if len(s) > 1000 {
		s = strings.ToValidUTF8(s[:1000], "") + unanswered
	}
	return s
}

func (t *table) texts(rows []int) [][]string {
	all := make([][]string, len(rows))
	for i, row := range rows {
		all[i] = make([]string, len(t.columns))
		for j := range t.columns {
			all[i][j] = field(t.at(row, j))
		}
	}
	return all
}

func firstRows(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}

// forms are the table for a page that can ask for more, and as HTML for others.
func (t *table) forms() map[string]any {
	first := t.texts(firstRows(min(t.rows, shownRows)))
	tables.Lock()
	if tables.shown == nil {
		tables.shown = map[string]*table{}
	}
	tables.next++
	id := strconv.Itoa(tables.next)
	tables.shown[id] = t
	delete(tables.shown, strconv.Itoa(tables.next-keptTables))
	tables.Unlock()
	return map[string]any{
		"text/html": t.html(first),
		tableMIME:   map[string]any{"id": id, "columns": t.columns, "rows": first, "total": t.rows},
	}
}

func (t *table) html(rows [][]string) string {
	var b strings.Builder
	b.WriteString("<table><thead><tr>")
	for _, c := range t.columns {
		fmt.Fprintf(&b, "<th>%s</th>", html.EscapeString(c.Name))
	}
	b.WriteString("</tr></thead><tbody>")
	for _, row := range rows {
		b.WriteString("<tr>")
		for _, text := range row {
			fmt.Fprintf(&b, "<td>%s</td>", html.EscapeString(text))
		}
		b.WriteString("</tr>")
	}
	b.WriteString("</tbody></table>")
	if t.rows > len(rows) {
		fmt.Fprintf(&b, "<p>%d rows in all</p>", t.rows)
	}
	return b.String()
}

// rowsOf answers a page's question for rows of a table.
func rowsOf(q wire.Table) (map[string]any, error) {
	tables.Lock()
	t := tables.shown[q.ID]
	tables.Unlock()
	if t == nil {
		return nil, fmt.Errorf("the session has this table no more; run its cell again")
	}
	order := t.ordered(q)
	from := min(max(q.Start, 0), len(order))
	to := min(from+min(max(q.Count, 0), maxRows), len(order))
	return map[string]any{"rows": t.texts(order[from:to]), "total": len(order), "start": from}, nil
}

// ordered are the rows in the order, and of the search, that a page wants.
func (t *table) ordered(q wire.Table) []int {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := fmt.Sprint(q.Sort, q.Descending, q.Search)
	if t.key == key && t.order != nil {
		return t.order
	}
	order := firstRows(t.rows)
	if word := strings.ToLower(strings.TrimSpace(q.Search)); word != "" {
		order = slices.DeleteFunc(order, func(row int) bool {
			for j := range t.columns {
				if strings.Contains(strings.ToLower(field(t.at(row, j))), word) {
					return false
				}
			}
			return true
		})
	}
	if q.Sort >= 0 && q.Sort < len(t.columns) {
		values := make([]reflect.Value, t.rows)
		for _, row := range order {
			values[row] = t.at(row, q.Sort)
		}
		slices.SortStableFunc(order, func(a, b int) int {
			c := compareFields(values[a], values[b])
			if q.Descending {
				return -c
			}
			return c
		})
	}
	t.key, t.order = key, order
	return order
}

// compareFields orders numbers by size, what is missing first, all else by its text.
func compareFields(a, b reflect.Value) int {
	for a.Kind() == reflect.Interface && !a.IsNil() {
		a = a.Elem()
	}
	for b.Kind() == reflect.Interface && !b.IsNil() {
		b = b.Elem()
	}
	switch {
	case !a.IsValid() || !b.IsValid():
		return cmp.Compare(btoi(a.IsValid()), btoi(b.IsValid()))
	case a.CanInt() && b.CanInt():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint() && b.CanUint():
		return cmp.Compare(a.Uint(), b.Uint())
	case a.CanFloat() && b.CanFloat():
		return cmp.Compare(a.Float(), b.Float())
	case a.Kind() == reflect.String && b.Kind() == reflect.String:
		x, errX := strconv.ParseFloat(a.String(), 64)
		y, errY := strconv.ParseFloat(b.String(), 64)
		if errX == nil && errY == nil { // of a CSV file
			return cmp.Compare(x, y)
		}
		return cmp.Compare(a.String(), b.String())
	}
	return cmp.Compare(field(a), field(b))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
