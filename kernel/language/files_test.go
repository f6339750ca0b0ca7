package language

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestFiles: the name of a file is completed in a string, and nowhere else.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"data.csv", "data.json", "other"} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "daily"), 0o700); err != nil {
		t.Fatal(err)
	}
	for code, want := range map[string][]string{
		`os.Open("da`:                {"daily/", "data.csv", "data.json"},
		"x := 1\nf(\"a\", `data.":    {"data.csv", "data.json"},
		`os.Open("` + dir + "/other": {dir + "/other"},
		`os.Open("data.csv")`:        nil,
		`data`:                       nil,
		`// "da`:                     nil,
		`os.Open("no`:                nil,
		`'"' + da`:                   nil,
	} {
		matches, start, ok := inString(code, len(code))
		got := texts(matches)
		slices.Sort(got)
		if ok != (want != nil) || !slices.Equal(got, want) || ok && start == 0 {
			t.Errorf("%q: expected %q, got %q from %d", code, want, got, start)
		}
	}
}
