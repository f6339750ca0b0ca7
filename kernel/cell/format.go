package cell

import (
	"go/format"
	"strings"
)

// Format is a cell's Go as gofmt has it, functions and statements in any order.
func Format(text string) (string, error) {
	var b strings.Builder
	at := 0
	chunk := func(end int) error {
		out, err := format.Source([]byte(text[at:end]))
		if err != nil {
			return err
		}
		b.Write(out)
		at = end
		return nil
	}
	regions := outline(text, func(int, string) {})
	for i, r := range regions {
		last := i+1 == len(regions)
		if !last && kindOf(r) == kindOf(regions[i+1]) {
			continue
		}
		end := r.end
		if last {
			end = len(text)
		}
		if err := chunk(end); err != nil {
			if list := scannerErrors(err); len(list) > 0 { // at the place in the cell
				line := strings.Count(text[:at], "\n") + max(list[0].Pos.Line, 1)
				return "", &Error{[]Mistake{{Line: line, Column: list[0].Pos.Column, Message: list[0].Msg}}}
			}
			return "", err
		}
	}
	b.WriteString(text[at:])
	return b.String(), nil
}

// kindOf tells regions apart that gofmt cannot have in one text.
func kindOf(r region) bool { return r.part == bodyPart }
