package notebook

import (
	"encoding/json"
	"slices"
	"strings"
)

// Text is a text of a notebook file, which keeps it line by line or in one.
type Text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(raw []byte) error {
	var lines []string
	if json.Unmarshal(raw, &lines) == nil {
		*t = Text(strings.Join(lines, ""))
		return nil
	}
	return json.Unmarshal(raw, (*string)(t))
}

// MarshalJSON implements json.Marshaler: line by line, as Jupyter does.
func (t Text) MarshalJSON() ([]byte, error) {
	return json.Marshal(slices.AppendSeq([]string{}, strings.Lines(string(t))))
}
