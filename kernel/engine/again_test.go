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
