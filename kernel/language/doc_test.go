package language

import (
	"os/exec"
	"testing"
)

// TestDoc: packages, and methods by their types' names, have go doc's words; variables and unknown
// names have none.
func TestDoc(t *testing.T) {
	s, _ := server(t, notebook(t, "json := 3"))
	s.config.Doc = func(args ...string) *exec.Cmd { return exec.Command("echo", append([]string{"doc"}, args...)...) }
	for text, want := range map[string]string{
		"dl":           "```go\ndoc github.com/gradbook/gradbook/dl\n```",
		"dl.Model.Fit": "```go\ndoc github.com/gradbook/gradbook/dl Model.Fit\n```",
		"rand":         "```go\ndoc math/rand/v2\n```",
		"json":         "",
		"nosuch":       "",
		"x.":           "",
	} {
		start, end := word(text, len(text), true)
		if got := s.doc(text, start, end); got != want {
			t.Errorf("%s: expected %q, got %q", text, want, got)
		}
	}
	s.config.Doc = func(...string) *exec.Cmd { return exec.Command("false") }
	if got := s.doc("dl", 0, 2); got != "" {
		t.Errorf("expected nothing where go doc fails, got %q", got)
	}
}
