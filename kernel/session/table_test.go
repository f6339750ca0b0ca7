package session

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/session/wire"
)

// rowsText are rows as a|b, a row to a line.
func rowsText(t *testing.T, q wire.Table) string {
	t.Helper()
	q.Count = 10
	data, err := rowsOf(q)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, row := range data["rows"].([][]string) {
		lines = append(lines, strings.Join(row, "|"))
	}
	return strings.Join(lines, "\n")
}

func TestTables(t *testing.T) {
	type point struct {
		Name string
		X    float64
	}
	for name, c := range map[string]struct {
		v       any
		columns string
		by      int
		desc    bool
		search  string
		want    string
	}{
		"as it is":     {[]point{{"b", 2}, {"a", 10}}, "Name string, X float64 #", -1, false, "", "b|2\na|10"},
		"by name":      {[]point{{"b", 2}, {"a", 10}}, "Name string, X float64 #", 0, false, "", "a|10\nb|2"},
		"by number":    {[]point{{"b", 2}, {"a", 10}}, "Name string, X float64 #", 1, true, "", "a|10\nb|2"},
		"searched":     {[]point{{"beta", 2}, {"alpha", 10}, {"Gamma", 1.0 / 3}}, "Name string, X float64 #", -1, false, "GA", "Gamma|0.3333"},
		"pointers":     {[]*point{{"b", 2}, nil}, "Name string, X float64 #", 1, false, "", "|\nb|2"},
		"records":      {[]map[string]any{{"n": 10, "s": "x"}, {"n": 9}}, "n any, s any", 0, false, "", "9|\n10|x"},
		"a CSV file's": {[][]string{{"x", "10"}, {"y", "9"}, {"z"}}, "0 string, 1 string", 1, false, "", "z|\ny|9\nx|10"},
		"a map":        {map[int]bool{10: true, 9: false}, "key int #, value bool", -1, false, "", "9|false\n10|true"},
	} {
		table := rowsAsTable(reflect.ValueOf(c.v))
		if table == nil {
			t.Errorf("%s: it is no table", name)
			continue
		}
		var columns []string
		for _, one := range table.columns {
			s := one.Name + " " + one.Type
			if one.Number {
				s += " #"
			}
			columns = append(columns, s)
		}
		if got := strings.Join(columns, ", "); got != c.columns {
			t.Errorf("%s: the columns are %s", name, got)
		}
		id := table.forms()[tableMIME].(map[string]any)["id"].(string)
		if got := rowsText(t, wire.Table{ID: id, Sort: c.by, Descending: c.desc, Search: c.search}); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
	for _, v := range []any{3, []int{1}, []point{}, map[string]int(nil), [][]float64{{1}}, "x"} {
		if rowsAsTable(reflect.ValueOf(v)) != nil {
			t.Errorf("%v is a table", v)
		}
	}
}

// A page may ask for what is not there.
func TestTableBounds(t *testing.T) {
	many := make([]struct{ N int }, 3*maxRows)
	id := rowsAsTable(reflect.ValueOf(many)).forms()[tableMIME].(map[string]any)["id"].(string)
	for q, want := range map[wire.Table]int{
		{ID: id, Count: 1 << 30, Sort: 99}: maxRows, {ID: id, Start: -5, Count: 3}: 3, {ID: id, Start: 1 << 40, Count: 3}: 0, {ID: id, Count: -1}: 0,
	} {
		data, err := rowsOf(q)
		if err != nil || len(data["rows"].([][]string)) != want {
			t.Errorf("%+v: %d rows, %v", q, len(data["rows"].([][]string)), err)
		}
	}
	for i := range keptTables {
		rowsAsTable(reflect.ValueOf([]struct{ N int }{{i}})).forms()
	}
	if _, err := rowsOf(wire.Table{ID: id}); err == nil || !strings.Contains(err.Error(), "run its cell again") {
		t.Errorf("got %v", err)
	}
}

// A table of a million rows opens, and is sorted.
func BenchmarkTable(b *testing.B) {
	rows := make([]struct {
		Name string
		N    int
	}, 1_000_000)
	for i := range rows {
		rows[i].Name, rows[i].N = fmt.Sprint("row ", i), i*7919%1000
	}
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			rowsAsTable(reflect.ValueOf(rows)).forms()
		}
	})
	b.Run("sort", func(b *testing.B) {
		for b.Loop() {
			rowsAsTable(reflect.ValueOf(rows)).ordered(wire.Table{Sort: 1})
		}
	})
}
