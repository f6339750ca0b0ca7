// Package ipynb reads and writes the tutorials' files, and knows what is in their cells.
package ipynb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/kernel/notebook"
)

// Notebook is a file.
type Notebook struct {
	Cells         []*Cell         `json:"cells"`
	Metadata      json.RawMessage `json:"metadata"`
	NBFormat      int             `json:"nbformat"`
	NBFormatMinor int             `json:"nbformat_minor"`
}

// Cell is a cell of it.
type Cell struct {
	CellType       string           `json:"cell_type"`
	ExecutionCount *int             `json:"execution_count,omitempty"`
	ID             string           `json:"id"`
	Metadata       map[string]any   `json:"metadata"`
	Outputs        []map[string]any `json:"outputs,omitempty"`
	Source         notebook.Text    `json:"source"`
}

// Read reads a file.
func Read(path string) (*Notebook, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	n := &Notebook{}
	if err := json.Unmarshal(raw, n); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}

// Write writes a file as JupyterLab does, without outputs. A code cell must have an
// execution count and outputs, though they be none.
func (n *Notebook) Write(path string) error {
	var cells []any
	for _, c := range n.Cells {
		m := map[string]any{"cell_type": c.CellType, "id": c.ID, "metadata": c.Metadata, "source": c.Source}
		if c.CellType == "code" {
			m["execution_count"], m["outputs"] = nil, []any{}
		}
		cells = append(cells, m)
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(map[string]any{"cells": cells, "metadata": n.Metadata, "nbformat": n.NBFormat, "nbformat_minor": n.NBFormatMinor}); err != nil {
		return err
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}

// Tagged says whether a cell has a tag.
func (c *Cell) Tagged(tag string) bool {
	tags, _ := c.Metadata["tags"].([]any)
	return slices.Contains(tags, any(tag))
}

var (
	solution = regexp.MustCompile("(?s)<details>.*?```go\n(.*?)```")
	claims   = regexp.MustCompile("(?s)<!-- claims\n(.*?)-->")
	fenced   = regexp.MustCompile("(?s)```.*?```")
)

// Code is what a cell has in common with its twin in another language: all of a code
// cell, the solution of an exercise.
func (c *Cell) Code() string {
	if c.CellType == "code" {
		return string(c.Source)
	}
	if m := solution.FindStringSubmatch(string(c.Source)); m != nil {
		return m[1]
	}
	return ""
}

// SetCode replaces what Code returns.
func (c *Cell) SetCode(code string) {
	if c.CellType == "code" {
		c.Source = notebook.Text(code)
	} else if m := solution.FindStringSubmatchIndex(string(c.Source)); m != nil {
		c.Source = c.Source[:m[2]] + notebook.Text(code) + c.Source[m[3]:]
	}
}

// Claims is what is claimed after the solution of an exercise: a comment of HTML, which
// no page shows.
func (c *Cell) Claims() string {
	if m := claims.FindStringSubmatch(string(c.Source)); m != nil && c.CellType == "markdown" {
		return m[1]
	}
	return ""
}

// SetClaims replaces what Claims returns.
func (c *Cell) SetClaims(code string) {
	if m := claims.FindStringSubmatchIndex(string(c.Source)); m != nil {
		c.Source = c.Source[:m[2]] + notebook.Text(code) + c.Source[m[3]:]
	}
}

// Prose is the text of a cell without its code and its claims.
func (c *Cell) Prose() string {
	return fenced.ReplaceAllString(claims.ReplaceAllString(string(c.Source), ""), "")
}

// Solved returns the notebook followed by the solutions of its exercises, and what is
// claimed of them: an exercise "ex" has the cells "ex-solution" and "ex-claims".
func (n *Notebook) Solved() *Notebook {
	s := *n
	s.Cells = slices.Clone(n.Cells)
	for _, c := range n.Cells {
		if !c.Tagged("exercise") {
			continue
		}
		s.Cells = append(s.Cells, code(c.ID+"-solution", c.Code()))
		if text := c.Claims(); text != "" {
			s.Cells = append(s.Cells, code(c.ID+"-claims", text, "test"))
		}
	}
	return &s
}

func code(id, text string, tags ...string) *Cell {
	list := make([]any, len(tags))
	for i, t := range tags {
		list[i] = t
	}
	return &Cell{CellType: "code", ID: id, Metadata: map[string]any{"tags": list}, Source: notebook.Text(strings.TrimSuffix(text, "\n"))}
}

// Code returns the code cells.
func (n *Notebook) Code() (cells []*Cell) {
	for _, c := range n.Cells {
		if c.CellType == "code" {
			cells = append(cells, c)
		}
	}
	return cells
}

// Cell returns the cell with an ID; nil if there is none.
func (n *Notebook) Cell(id string) *Cell {
	for _, c := range n.Cells {
		if c.ID == id {
			return c
		}
	}
	return nil
}
