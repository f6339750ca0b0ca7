package datasets_test

import (
	"strings"
	"testing"

	"github.com/gradbook/gradbook/datasets"
	"github.com/gradbook/gradbook/dl/data"
)

// TestTables: the tables have the sizes, classes and sums that their publishers
// state.
func TestTables(t *testing.T) {
	for _, c := range []struct {
		name     string
		open     func() (*data.Dataset, error)
		features int
		counts   []int
		classes  []string
	}{
		{"iris", datasets.Iris, 4, []int{50, 50, 50}, []string{"setosa", "versicolor", "virginica"}},
		{"breast cancer", datasets.BreastCancer, 30, []int{212, 357}, []string{"malignant", "benign"}},
		{"rossi", func() (*data.Dataset, error) {
			return data.FromCSV(datasets.Rossi(), data.CSVConfig{Label: "arrest"})
		}, 8, []int{318, 114}, []string{"0", "1"}},
	} {
		d, err := c.open()
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if s := d.InputShape(); len(s) != 1 || s[0] != c.features {
			t.Errorf("%s: expected %d features, got %v", c.name, c.features, s)
		}
		labels, err := d.Labels()
		if err != nil {
			t.Fatal(err)
		}
		counts := make([]int, len(c.counts))
		for _, l := range labels {
			counts[l]++
		}
		for i, n := range c.counts {
			if counts[i] != n || d.ClassName(i) != c.classes[i] {
				t.Errorf("%s: expected %d of class %s, got %d of %s", c.name, n, c.classes[i], counts[i], d.ClassName(i))
			}
		}
	}
}

func TestSunspots(t *testing.T) {
	years, numbers, err := datasets.Sunspots()
	if err != nil {
		t.Fatal(err)
	}
	// 1957 had the most sunspots of all.
	if len(years) != 309 || len(numbers) != 309 || years[0] != 1700 || years[308] != 2008 || numbers[257] != 190.2 || years[257] != 1957 {
		t.Errorf("expected 309 years from 1700 to 2008 with 190.2 in 1957, got %d, %v in %v", len(years), numbers[257], years[257])
	}
}

func TestGoSource(t *testing.T) {
	text, err := datasets.GoSource("strings", "net/http")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "func Fields(s string) []string") || !strings.Contains(text, "\npackage http") || strings.Contains(text, "testing.T)") {
		t.Error("expected the source of strings and net/http without tests")
	}
	for _, name := range []string{"no/such", "[", ""} {
		if _, err := datasets.GoSource(name); err == nil || !strings.Contains(err.Error(), "expected a package") {
			t.Errorf("expected an error about %q, got %v", name, err)
		}
	}
}
