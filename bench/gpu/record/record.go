// Package record is what the parts of a measurement on a GPU say: a line of JSON for each
// figure, as soon as it is known.
package record

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// Record is a figure, or several that belong together.
type Record struct {
	// Part is the part of the run that it comes from; the runner sets it.
	Part string `json:"part,omitempty"`
	// Who is gradbook or a peer.
	Who string `json:"who,omitempty"`
	// Model, Batch and DType say what was measured; DType is float32, tf32 or bfloat16.
	Model string `json:"model,omitempty"`
	Batch int    `json:"batch,omitempty"`
	DType string `json:"dtype,omitempty"`
	// Values are the figures, by names that say their units: step_ms, first_s.
	Values map[string]float64 `json:"values,omitempty"`
	// Text are findings that are no figures: versions, names.
	Text map[string]string `json:"text,omitempty"`
	// Status of a part: "ok", "failed", "left out" or "cut off"; empty in a part's own records.
	Status string `json:"status,omitempty"`
	// Note says why.
	Note string `json:"note,omitempty"`
}

// Write writes a record as a line.
func (r Record) Write(w io.Writer) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// Read reads a file of records. A last line that was cut off is passed over.
func Read(path string) (all []Record, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	var bad error
	for n := 1; lines.Scan(); n++ {
		if bad != nil {
			return nil, bad
		}
		var r Record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			bad = fmt.Errorf("%s:%d: %w", path, n, err)
			continue
		}
		all = append(all, r)
	}
	return all, lines.Err()
}
