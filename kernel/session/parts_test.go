package session

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/tensor"
	"github.com/gradbook/gradbook/kernel/session/wire"
)

type layered struct{ broken bool }

func (m layered) Parts() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		if m.broken {
			panic("broken")
		}
		yield("first", []int{1, 2})
		yield("nothing", nil)
	}
}

// seen are parts as name=text, with a + behind what has parts itself.
func seen(list []wire.Variable) []string {
	var all []string
	for _, v := range list {
		s := v.Name + "=" + v.Text
		if v.Shape != "" && v.Text == "" {
			s += v.Shape
		}
		if v.Inside {
			s += "+"
		}
		all = append(all, s)
	}
	return all
}

func TestInspect(t *testing.T) {
	type inner struct {
		a    int
		text string
	}
	set(t, "s", struct {
		N      int
		hidden *inner
		None   *inner
		Any    any
		Err    error
	}{3, &inner{4, "x"}, nil, []any{1, "y"}, errors.New("bad")})
	set(t, "long", slices.Repeat([]int32{7}, 250))
	set(t, "m", map[string]float64{"b": 2, "a": 0.5})
	set(t, "byKey", map[int]string{10: "ten", 9: "nine"})
	set(t, "t", tensor.Of([][][]float32{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}, {{9, 10}, {11, 12}}}))
	set(t, "one", tensor.Of(int64(5)))
	set(t, "made", layered{})
	set(t, "broken", layered{true})
	for _, c := range []struct {
		name string
		path []int
		want []string
	}{
		{"s", nil, []string{"N=3", `hidden=&{a:4 text:"x"}+`, "None=nil", `Any=[1 "y"]+`, "Err=bad+"}},
		{"s", []int{1}, []string{"a=4", "text=x"}},
		{"s", []int{3}, []string{"[0]=1", `[1]="y"`}},
		{"m", nil, []string{"[a]=0.5", "[b]=2"}},
		{"byKey", nil, []string{"[9]=nine", "[10]=ten"}},
		{"t", nil, []string{"[0]=[[1 2] [3 4]]+", "[1]=[[5 6] [7 8]]+", "[2]=[[9 10] [11 12]]+"}},
		{"t", []int{2, 1}, []string{"[0]=11", "[1]=12"}},
		{"one", nil, []string{"value=5"}},
		{"made", nil, []string{"first=[1 2]+", "nothing=nil"}},
		{"broken", nil, nil},
	} {
		got, err := inspect(c.name, c.path)
		if err != nil || !slices.Equal(seen(got), c.want) {
			t.Errorf("%s %v: got %q, %v, want %q", c.name, c.path, seen(got), err, c.want)
		}
	}
	long, err := inspect("long", nil)
	if err != nil || len(long) != maxParts+1 || long[maxParts].Text != "150 more" {
		t.Errorf("got %d parts, %v", len(long), err)
	}
	for name, path := range map[string][]int{"nosuch": nil, "s": {7}} {
		if _, err := inspect(name, path); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s %v: got %v", name, path, err)
		}
	}
}

// cycle leads to itself.
type cycle struct {
	Next *cycle
	All  []any
}

// A preview ends, whatever a value is, and calls no method of it.
func TestPreview(t *testing.T) {
	loop := &cycle{All: []any{}}
	loop.Next = loop
	loop.All = append(loop.All, loop, loud(3))
	for want, v := range map[string]any{
		"[1 2 3 4 5 6 7 8 9 …": slices.Collect(maps.Keys(map[int]bool{})), "3": loud(3), `map[1:"a"]`: map[int]string{1: "a"},
		"func(int) string": func(int) string { return "" }, "nil": (func())(nil), "1.5": 1.5, "(1+2i)": complex(1, 2),
	} {
		if strings.HasPrefix(want, "[1") {
			v = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
		}
		if got := preview(reflect.ValueOf(v), 19); got != want {
			t.Errorf("%T: got %q, want %q", v, got, want)
		}
	}
	if got := preview(reflect.ValueOf(loop), 200); len(got) > 250 || !strings.HasPrefix(got, "&{Next:&{Next:") {
		t.Errorf("got %q", got)
	}
}

func TestSizeFollows(t *testing.T) {
	rows := make([][]float32, 1000)
	for i := range rows {
		rows[i] = make([]float32, 784)
	}
	shared := make([]byte, 1<<20)
	deep := fmt.Sprintf("%01000d", 0)
	for name, c := range map[string]struct {
		v    any
		want int64
	}{
		"rows":        {rows, 24 + 1000*24 + 1000*784*4},
		"shared once": {[][]byte{shared, shared}, 24 + 2*24 + 1<<20},
		"seven levels": {&struct {
			a *struct {
				b *struct {
					c *struct{ d *struct{ e *string } }
				}
			}
		}{&struct {
			b *struct {
				c *struct{ d *struct{ e *string } }
			}
		}{&struct {
			c *struct{ d *struct{ e *string } }
		}{&struct{ d *struct{ e *string } }{&struct{ e *string }{&deep}}}}}, 6*8 + 16 + 1000},
		"a tensor":        {tensor.Of(make([]float32, 5000)), 20000},
		"in a hidden one": {struct{ t *tensor.Tensor }{tensor.Of(make([]float32, 5000))}, 20000},
	} {
		if got := size(reflect.ValueOf(c.v)); got < c.want || got > c.want+400 {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

// 200 variables are described, some of them large.
func BenchmarkDescribe(b *testing.B) {
	vars := make([]any, 200)
	for i := range vars {
		vars[i] = map[int]any{0: i, 1: strings.Repeat("x", 1000), 2: make([][]float32, 1000), 3: tensor.Of(make([]float32, 5000)), 4: map[string]int{"a": 1}}[i%5]
	}
	for b.Loop() {
		a := asker{}
		for i := range vars {
			a.variable("x", reflect.ValueOf(&vars[i]).Elem())
		}
	}
}
