// Package script makes a program of a notebook, and a notebook of a program.
//
// In the program a comment // %% stands before each cell, as editors and Jupytext have it.
//
// Source: https://jupytext.readthedocs.io/en/latest/formats-scripts.html#the-percent-format
package script

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gradbook/gradbook/kernel/cell"
	"github.com/gradbook/gradbook/kernel/dialect"
)

// only marks in a program's comment what only a notebook can do.
const only = "[notebook only] "

// Program makes a Go program of a notebook's file that does and prints the same. name is
// the notebook's, for a comment. Warnings tell of what a program cannot do, such as %who:
// in it, that is a comment. An error names the cell.
func Program(notebook []byte, name string, packages cell.Packages) (source []byte, warnings []string, err error) {
	nb, err := read(notebook)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	s := cell.NewScript(packages)
	number, shell := 0, false
	for i, c := range nb.Cells {
		text := strings.TrimRight(string(c.Source), "\n")
		if c.Type != "code" {
			s.Comment("["+c.Type+"]", strings.Split(text, "\n"))
			continue
		}
		number++
		if strings.TrimSpace(text) == "" {
			continue
		}
		got := commands(text)
		if got.shell && !shell {
			shell = true
			got.cell.Text = shellFunc + got.cell.Text
			got.cell.Main += len(shellFunc)
		}
		got.cell.Number = number
		for _, w := range got.left {
			warnings = append(warnings, fmt.Sprintf("%s, cell %d: %s is of notebooks only, and a comment in the program", name, number, w))
		}
		if err := s.Add(got.cell, got.comments); err != nil {
			return nil, warnings, fmt.Errorf("%s, cell %d (the notebook's %d.): %w", name, number, i+1, err)
		}
	}
	source, err = s.Source(name+` as a program, by "gradbook script"; "gradbook notebook" makes cells of it again.`, "")
	if err != nil {
		return source, warnings, fmt.Errorf("%s: %w", name, err)
	}
	return source, warnings, nil
}

// shellFunc runs the commands of a notebook's shell.
const shellFunc = `func shell(command string) {
	cmd := exec.Command("bash", "-c", command)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stdout
	if err := cmd.Run(); err != nil {
		log.Fatal(err)
	}
}
`

// translated is a cell whose commands are Go, or comments.
type translated struct {
	cell     cell.Cell
	comments []string
	left     []string // names of commands that are comments
	shell    bool
}

func commands(text string) (t translated) {
	cut := dialect.Parse(text)
	t.cell = cut.Cell(0)
	var before strings.Builder
	for _, s := range cut.Segments {
		if s.Kind == dialect.Go || s.Name == "%%" || s.Name == "%main" || s.Name == "%exec" {
			continue
		}
		if code, ok := asGo(s); ok {
			before.WriteString(code + "\n")
			t.shell = t.shell || strings.HasPrefix(code, "shell(")
			continue
		}
		name := s.Name
		if s.Kind == dialect.Help {
			name = s.Args + "?"
		}
		t.left = append(t.left, name)
		for _, line := range strings.Split(strings.TrimRight(cut.Source[s.Start:s.End], "\n"), "\n") {
			t.comments = append(t.comments, only+line)
		}
	}
	if before.Len() > 0 {
		t.cell.Text = before.String() + t.cell.Text
		t.cell.Main += before.Len()
	}
	return t
}

// asGo is the statement that does what a command does.
func asGo(s dialect.Segment) (string, bool) {
	words := dialect.Words(s.Args)
	switch s.Name {
	case "!", "!*":
		return "shell(" + quoted(s.Args) + ")", true
	case "%%bash", "%%sh":
		if s.Args == "" {
			return "shell(" + quoted(s.Body) + ")", true
		}
	case "%cd":
		if len(words) == 1 && !strings.HasPrefix(words[0], "~") {
			return "os.Chdir(" + strconv.Quote(words[0]) + ")", true
		}
	case "%env":
		key, value, ok := strings.Cut(s.Args, "=")
		if !ok && len(words) == 2 {
			key, value, ok = words[0], words[1], true
		}
		if ok && len(words) <= 2 {
			return fmt.Sprintf("os.Setenv(%q, %q)", strings.TrimSpace(key), strings.TrimSpace(value)), true
		}
	case "%args":
		return fmt.Sprintf("os.Args = append(os.Args[:1:1], %#v...)", words), true
	}
	return "", false
}

func quoted(text string) string {
	if strings.Contains(text, "\n") && !strings.Contains(text, "`") {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}

// notebook is what is read and written of a notebook's file.
//
// Source: https://nbformat.readthedocs.io/en/latest/format_description.html
type notebook struct {
	Cells []nbCell       `json:"cells"`
	Meta  map[string]any `json:"metadata"`
	Major int            `json:"nbformat"`
	Minor int            `json:"nbformat_minor"`
}

type nbCell struct {
	Type    string         `json:"cell_type"`
	ID      string         `json:"id,omitempty"`
	Count   *int           `json:"execution_count,omitempty"`
	Meta    map[string]any `json:"metadata"`
	Outputs *[]any         `json:"outputs,omitempty"`
	Source  lines          `json:"source"`
}

// lines is a text that is in the file as a list of lines, or whole.
type lines string

// UnmarshalJSON implements [json.Unmarshaler].
func (l *lines) UnmarshalJSON(raw []byte) error {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		*l = lines(strings.Join(list, ""))
		return nil
	}
	return json.Unmarshal(raw, (*string)(l))
}

// MarshalJSON implements [json.Marshaler].
func (l lines) MarshalJSON() ([]byte, error) {
	list := strings.SplitAfter(string(l), "\n")
	if list[len(list)-1] == "" {
		list = list[:len(list)-1]
	}
	if list == nil {
		list = []string{}
	}
	return json.Marshal(list)
}

func read(raw []byte) (*notebook, error) {
	var nb notebook
	if err := json.Unmarshal(raw, &nb); err != nil {
		return nil, fmt.Errorf("expected a notebook, in JSON: %w", err)
	}
	if nb.Major != 4 {
		return nil, fmt.Errorf("expected a notebook of version 4, got %d; JupyterLab saves it as such", nb.Major)
	}
	if nb.Cells == nil {
		return nil, errors.New("expected a notebook with cells, got none")
	}
	return &nb, nil
}

// Cells are the texts of a notebook's cells of code.
func Cells(raw []byte) (cells []string, err error) {
	nb, err := read(raw)
	if err != nil {
		return nil, err
	}
	for _, c := range nb.Cells {
		if text := string(c.Source); c.Type == "code" && strings.TrimSpace(text) != "" {
			cells = append(cells, text)
		}
	}
	return cells, nil
}
