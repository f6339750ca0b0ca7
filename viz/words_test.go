package viz

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestWords: what is said has a translation with the same verbs in the same order, and
// nothing is translated that is not said.
func TestWords(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, f := range files {
		if !strings.HasSuffix(f, "_test.go") {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(raw)
		}
	}
	verb := regexp.MustCompile(`%[-.0-9]*[a-z%]`)
	for _, m := range regexp.MustCompile(`\bsay\(("(?:[^"\\]|\\.)*")[,)]`).FindAllStringSubmatch(source.String(), -1) {
		text, err := strconv.Unquote(m[1])
		if err != nil {
			t.Fatal(err)
		}
		if words["zh"][text] == "" {
			t.Errorf("expected a translation of %q", text)
		}
	}
	for text, with := range words["zh"] {
		if a, b := verb.FindAllString(text, -1), verb.FindAllString(with, -1); !slices.Equal(a, b) {
			t.Errorf("%q: expected the verbs %v in %q", text, a, with)
		}
		if !strings.Contains(source.String(), strconv.Quote(text)) && !strings.Contains(text, " filters ") && !strings.Contains(text, " feature maps ") {
			t.Errorf("%q is translated, and not said", text)
		}
	}
}
