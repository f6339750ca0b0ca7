package notebooks_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/notebook"
)

// With -tidy, outputs are taken out of the notebooks, and the Chinese ones get the
// code of the English ones:
//
//	go test ./notebooks -run TestTwins -args -tidy
var tidy = flag.Bool("tidy", false, "take outputs out, and copy code to the Chinese notebooks")

// book is a notebook file. What is not named here is kept as it is.
type book struct {
	Cells         []*cell         `json:"cells"`
	Metadata      json.RawMessage `json:"metadata"`
	NBFormat      int             `json:"nbformat"`
	NBFormatMinor int             `json:"nbformat_minor"`
}

type cell struct {
	CellType       string           `json:"cell_type"`
	ExecutionCount *int             `json:"execution_count,omitempty"`
	ID             string           `json:"id"`
	Metadata       map[string]any   `json:"metadata"`
	Outputs        []map[string]any `json:"outputs,omitempty"`
	Source         notebook.Text    `json:"source"`
}

func (c *cell) tagged(tag string) bool {
	tags, _ := c.Metadata["tags"].([]any)
	return slices.Contains(tags, any(tag))
}

// code is what a cell has in common with its twin: all of a code cell, the solution
// of an exercise.
var solution = regexp.MustCompile("(?s)<details>.*?```go\n(.*?)```")

func (c *cell) code() string {
	if c.CellType == "code" {
		return string(c.Source)
	}
	if m := solution.FindStringSubmatch(string(c.Source)); m != nil {
		return m[1]
	}
	return ""
}

func (c *cell) setCode(code string) {
	if c.CellType == "code" {
		c.Source = notebook.Text(code)
	} else if m := solution.FindStringSubmatchIndex(string(c.Source)); m != nil {
		c.Source = c.Source[:m[2]] + notebook.Text(code) + c.Source[m[3]:]
	}
}

func read(t *testing.T, path string) *book {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b := &book{}
	if err := json.Unmarshal(raw, b); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return b
}

// write writes a notebook as JupyterLab does. A code cell must have an execution
// count and outputs, though they be none.
func (b *book) write(t *testing.T, path string) {
	t.Helper()
	var cells []any
	for _, c := range b.Cells {
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
	if err := e.Encode(map[string]any{"cells": cells, "metadata": b.Metadata, "nbformat": b.NBFormat, "nbformat_minor": b.NBFormatMinor}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// names are the notebooks.
func names(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("*.ipynb")
	twins, err2 := filepath.Glob("zh/*.ipynb")
	if err != nil || err2 != nil || len(all) != 7 || len(twins) != len(all) {
		t.Fatalf("expected seven notebooks and as many in Chinese, got %v, %v, %v, %v", all, twins, err, err2)
	}
	return all
}

// TestTwins: a notebook and its Chinese twin have the same cells with the same code.
func TestTwins(t *testing.T) {
	for _, name := range names(t) {
		en, zh := read(t, name), read(t, filepath.Join("zh", name))
		if len(en.Cells) != len(zh.Cells) {
			t.Errorf("%s: expected as many cells in Chinese as in English, %d, got %d", name, len(en.Cells), len(zh.Cells))
			continue
		}
		for i, c := range en.Cells {
			twin := zh.Cells[i]
			if c.ID != twin.ID || c.CellType != twin.CellType {
				t.Errorf("%s: expected the cells %s (%s), got %s (%s) in Chinese", name, c.ID, c.CellType, twin.ID, twin.CellType)
				break
			}
			if *tidy {
				twin.setCode(c.code())
				twin.Metadata = c.Metadata
			}
			if c.code() != twin.code() {
				t.Errorf("%s: cell %s: expected the same code in Chinese; -args -tidy copies it", name, c.ID)
			}
			if c.CellType == "markdown" && (hasChinese(c) || !hasChinese(twin)) {
				t.Errorf("%s: cell %s: expected an English and a Chinese text", name, c.ID)
			}
		}
		if *tidy {
			en.write(t, name)
			zh.write(t, filepath.Join("zh", name))
		}
	}
}

func hasChinese(c *cell) bool {
	return regexp.MustCompile(`\p{Han}`).MatchString(prose(c))
}

// prose is the text of a cell without its code.
func prose(c *cell) string {
	return regexp.MustCompile("(?s)```.*?```").ReplaceAllString(string(c.Source), "")
}

// TestForm: every notebook has what a reader expects of it, short cells, and no
// outputs.
func TestForm(t *testing.T) {
	for _, name := range names(t) {
		for lang, words := range map[string][]string{
			".":  {"# ", "**Goal.**", "**You need**"},
			"zh": {"# ", "**目标。**", "**你需要**"},
		} {
			path := filepath.Join(lang, name)
			b := read(t, path)
			for _, w := range words {
				if !strings.Contains(string(b.Cells[0].Source), w) {
					t.Errorf("%s: expected %q in the first cell", path, w)
				}
			}
			count := map[string]int{}
			for _, c := range b.Cells {
				if n := len(slices.Collect(strings.Lines(string(c.Source)))); c.CellType == "code" && n >= 25 {
					t.Errorf("%s: cell %s: expected fewer than 25 lines, got %d", path, c.ID, n)
				}
				if len(c.Outputs) > 0 || c.ExecutionCount != nil {
					t.Errorf("%s: cell %s: expected no outputs in git; -args -tidy takes them out", path, c.ID)
				}
				if c.CellType == "code" && !c.tagged("setup") && c.tagged("test") != strings.Contains(string(c.Source), "claim.") {
					t.Errorf("%s: cell %s: expected claims in test cells only, and a claim in each", path, c.ID)
				}
				if c.tagged("test") && !c.tagged("remove-cell") {
					t.Errorf("%s: cell %s: expected a test to be left out of pages", path, c.ID)
				}
				for _, kind := range []string{"test", "exercise", "thumbnail"} {
					if c.tagged(kind) {
						count[kind]++
					}
				}
				if c.tagged("exercise") && c.code() == "" {
					t.Errorf("%s: cell %s: expected an exercise with a hidden solution in Go", path, c.ID)
				}
			}
			if count["test"] < 2 || count["exercise"] < 1 || count["thumbnail"] != 1 {
				t.Errorf("%s: expected tests, exercises and one thumbnail, got %v", path, count)
			}
		}
	}
}

// TestLinks: links to other notebooks and files lead somewhere.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for _, name := range names(t) {
		for _, path := range []string{name, filepath.Join("zh", name)} {
			for _, c := range read(t, path).Cells {
				if c.CellType != "markdown" {
					continue
				}
				for _, m := range link.FindAllStringSubmatch(prose(c), -1) {
					if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
						t.Errorf("%s: cell %s: %v", path, c.ID, err)
					}
				}
			}
		}
	}
}
