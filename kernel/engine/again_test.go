package engine

import (
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/cell"
)

// TestAgain: who goes back and runs a cell again is told where to begin, by whoever
// asks, and nobody else is.
func TestAgain(t *testing.T) {
	const (
		set    = "W := []float64{1}\nloss := 0.0"
		use    = "loss = W[0]"
		test   = "if loss != 1 { _ = loss }"
		update = "for range 3 { W[0] /= 2; loss = W[0] }"
		other  = "unrelated := 1"
		model  = "model := newModel()"
		train  = "history, err := model.Fit(3)"
		judge  = "if model.Loss() > 1 { _ = model }"
		call   = "func lossNow() float64 { return W[0] }"
		halve  = "W[0] /= 2"
		both   = "if lossNow() > 1 { _ = W }"
		own    = "func twice() int { return 2 }\nif twice() != 2 { _ = 1 }"
	)
	for _, c := range []struct {
		runs []string
		want string
	}{
		{[]string{set, use, test, update}, ""},
		{[]string{set, use, test, update, use, test}, "W := []float64{1}"},
		{[]string{set, use, update, test}, ""},
		{[]string{set, use, test, update, test}, "W := []float64{1}"},
		{[]string{set, set, use, test}, "W := []float64{1}"},
		{[]string{set, other, use, other, test}, ""},
		{[]string{test}, ""},
		{[]string{model, train, judge}, ""},
		{[]string{model, train, train, judge}, "model := newModel()"},
		{[]string{set, call, halve, both}, ""},
		{[]string{set, call, halve, halve, both}, "W := []float64{1}"},
		{[]string{own, own}, ""},
	} {
		e := &Engine{}
		got := ""
		for i, text := range c.runs {
			got = e.remember(Cell{Cell: cell.Cell{Number: i + 1, Text: text}})
		}
		if got != c.want {
			t.Errorf("%s: expected %q, got %q", strings.Join(c.runs, " | "), c.want, got)
		}
	}
}
