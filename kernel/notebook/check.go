package notebook

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
)

// Check reports a path that is no notebook, and which of its cells is none.
//
// Source: https://nbformat.readthedocs.io/en/latest/format_description.html
func Check(path string) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("no notebook at %s", path)
	}
	if err != nil {
		return err
	}
	var nb struct {
		Cells    []json.RawMessage `json:"cells"`
		NBFormat int               `json:"nbformat"`
		Metadata json.RawMessage   `json:"metadata"`
	}
	if err := json.Unmarshal(raw, &nb); err != nil {
		return fmt.Errorf("%s is not a notebook: %w", path, err)
	}
	if nb.NBFormat != 4 || nb.Cells == nil {
		return fmt.Errorf("%s is not a notebook: expected nbformat 4 and cells, got nbformat %d", path, nb.NBFormat)
	}
	if err := wantObject("metadata", nb.Metadata); err != nil {
		return fmt.Errorf("%s is not a notebook: %w", path, err)
	}
	for i, c := range nb.Cells {
		if err := checkCell(c); err != nil {
			return fmt.Errorf("%s is not a notebook: cell %d: %w", path, i+1, err)
		}
	}
	return nil
}

func checkCell(raw json.RawMessage) error {
	if err := wantObject("a cell", raw); err != nil {
		return err
	}
	var c struct {
		Type     json.RawMessage   `json:"cell_type"`
		Metadata json.RawMessage   `json:"metadata"`
		Source   json.RawMessage   `json:"source"`
		Outputs  []json.RawMessage `json:"outputs"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	kind := ""
	if err := json.Unmarshal(c.Type, &kind); err != nil || kind != "code" && kind != "markdown" && kind != "raw" {
		return fmt.Errorf("expected a cell_type of code, markdown or raw, got %s", short(c.Type))
	}
	if err := wantObject("metadata", c.Metadata); err != nil {
		return err
	}
	if !isText(c.Source) {
		return fmt.Errorf("expected a source of text, got %s", short(c.Source))
	}
	for _, o := range c.Outputs {
		var out struct {
			Type string `json:"output_type"`
		}
		if err := json.Unmarshal(o, &out); err != nil || out.Type == "" {
			return fmt.Errorf("expected outputs with an output_type, got %s", short(o))
		}
	}
	return nil
}

// isText says whether a value is a string, or a list of such.
func isText(raw json.RawMessage) bool {
	var one string
	var lines []string
	return raw != nil && string(raw) != "null" && (json.Unmarshal(raw, &one) == nil || json.Unmarshal(raw, &lines) == nil)
}

func wantObject(what string, raw json.RawMessage) error {
	var o map[string]json.RawMessage
	if raw == nil || json.Unmarshal(raw, &o) != nil || o == nil {
		return fmt.Errorf("expected %s to be an object, got %s", what, short(raw))
	}
	return nil
}

// short is the beginning of a value.
func short(raw json.RawMessage) string {
	if raw == nil {
		return "nothing"
	}
	if len(raw) > 40 {
		return strconv.Quote(string(raw[:40])) + "…"
	}
	return string(raw)
}
