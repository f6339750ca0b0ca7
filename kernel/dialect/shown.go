package dialect

import (
	"os"
	"strings"

	"github.com/gradbook/gradbook/kernel/cell"
)

// showAs shows the cell's text.
func showAs(mime string) func(h Host, s Segment) error {
	return func(h Host, s Segment) error {
		h.Display(mime, s.Body)
		return nil
	}
}

func folder(h Host) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	h.Print(dir + "\n")
	return nil
}

// formatted puts the cell's Go, formatted, in the place of its text; its commands stay.
func formatted(h Host, s Segment) error {
	text, err := Format(s.Body)
	if err != nil {
		return err
	}
	h.Replace(text)
	return nil
}

// Format is a cell with its Go as gofmt has it; its commands stay.
func Format(text string) (string, error) {
	t := Parse(text)
	var b strings.Builder
	at := 0
	for _, part := range t.Segments {
		if part.Kind != Go {
			continue
		}
		b.WriteString(t.Source[at:part.Start])
		out, err := cell.Format(t.Source[part.Start:part.End])
		if err != nil {
			return "", err
		}
		b.WriteString(out)
		at = part.End
	}
	b.WriteString(t.Source[at:])
	return strings.TrimSuffix(b.String(), "\n"), nil
}
