package book_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/book"
	"github.com/gradbook/gradbook/kernel/notebook"
)

// TestStudents: copies of the tutorials have no solution and no answer left, an empty
// cell behind each exercise, and nobody's work is written over.
func TestStudents(t *testing.T) {
	out := t.TempDir()
	copies, err := book.Students("../../notebooks", out)
	if err != nil {
		t.Fatal(err)
	}
	if len(copies) != 24 {
		t.Errorf("expected twelve notebooks in two languages, got %q", copies)
	}
	for _, path := range copies {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"<details>", "<!-- claims", "Solution</summary>", "答案</summary>"} {
			if strings.Contains(string(raw), word) {
				t.Errorf("%s: expected no %q", path, word)
			}
		}
		if err := notebook.Check(path); err != nil {
			t.Error(err)
		}
		var n struct {
			Cells []struct {
				Source   notebook.Text
				Metadata struct{ Tags []string }
			}
		}
		if err := json.Unmarshal(raw, &n); err != nil {
			t.Fatal(err)
		}
		exercises, rooms := 0, 0
		for _, c := range n.Cells {
			for _, tag := range c.Metadata.Tags {
				if tag == "exercise" {
					exercises++
				}
				if tag == "answer" && c.Source == "" {
					rooms++
				}
			}
		}
		if exercises != rooms || exercises == 0 && !strings.Contains(path, "glossary") {
			t.Errorf("%s: expected an empty cell for each exercise, got %d and %d", path, exercises, rooms)
		}
	}
	if _, err := book.Students("../../notebooks", out); err == nil || !strings.Contains(err.Error(), filepath.Join(out, "00-start.ipynb")+" is there already") {
		t.Errorf("expected an error that names what is there, got %v", err)
	}
}
