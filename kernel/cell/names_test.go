package cell

import (
	"slices"
	"testing"
)

func TestNames(t *testing.T) {
	for _, c := range []struct {
		text                           string
		declares, uses, changes, calls []string
	}{
		{"x := 1\ny, err := f(x)\n_ = err", []string{"x", "y", "err"}, []string{"f"}, nil, nil},
		{"for i := range list { W[i][0] -= rate * i; n.b++ }", nil, []string{"list", "W", "rate", "n"}, []string{"W", "n"}, nil},
		{"func (l *Layer) F(x int) int { total += x; return l.in }", nil, []string{"Layer", "int", "total"}, []string{"Layer", "total"}, nil},
		{"type T struct{ a int }\nvar v = T{a: g}", []string{"T", "v"}, []string{"int", "g"}, nil, nil},
		{"h, err := model.Fit(ctx, train.Take(3))", []string{"h", "err"}, []string{"model", "ctx", "train"}, nil, []string{"model.Fit", "train.Take"}},
		{"slices.Sort(order)\nread(&z)", nil, []string{"slices", "order", "read", "z"}, []string{"slices", "order", "z"}, []string{"slices.Sort"}},
		{"if a, ok := m[k]; ok { b = a }", nil, []string{"m", "k", "b"}, []string{"b"}, nil},
	} {
		n, err := Cell{Text: c.text}.Names()
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		for what, lists := range map[string][2][]string{
			"declares": {n.Declares, c.declares}, "uses": {n.Uses, c.uses}, "changes": {n.Changes, c.changes}, "calls": {n.Calls, c.calls},
		} {
			slices.Sort(lists[0])
			slices.Sort(lists[1])
			if !slices.Equal(lists[0], lists[1]) {
				t.Errorf("%s\n%s: expected %v, got %v", c.text, what, lists[1], lists[0])
			}
		}
	}
	if _, err := (Cell{Text: "x := ("}).Names(); err == nil {
		t.Error("expected an error for a cell that is no Go")
	}
}
