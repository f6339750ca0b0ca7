package data_test

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/tensor"
)

// features are the first n rows of a dataset's inputs.
func features(t *testing.T, d *data.Dataset) []float32 {
	t.Helper()
	var all []float32
	for b, err := range d.Batches() {
		if err != nil {
			t.Fatal(err)
		}
		v, err := tensor.Flat[float32](b.X)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v...)
	}
	return all
}

// TestColumnsThatDoNotFit: a value that is not what its column is, is an error that names line
// and column, and nothing is made of it.
func TestColumnsThatDoNotFit(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		c     data.CSVConfig
		words []string
	}{
		"a stray word":            {"age\n34\n7\n?\n100\n", data.CSVConfig{}, []string{"line 4", `"age"`, `"?"`, "MissingWords"}},
		"NA":                      {"age\n34\nNA\n", data.CSVConfig{}, []string{"line 3", `"age"`, `"NA"`}},
		"a number among words":    {"c\nred\n7\n", data.CSVConfig{}, []string{"line 3", `"c"`, `"red"`, "Kinds"}},
		"thousands":               {"n\n\"1,234\"\n", data.CSVConfig{}, []string{"line 2", `"n"`, `"1,234"`, "Decimal"}},
		"thousands later":         {"n\n1\n\"1,234\"\n", data.CSVConfig{}, []string{"line 3", `"1,234"`}},
		"a decimal comma":         {"n;m\n1,5;2\n", data.CSVConfig{Comma: ';'}, []string{"line 2", "Decimal"}},
		"too large for a float":   {"n\n1e39\n", data.CSVConfig{}, []string{"line 2", "float32", "1e39"}},
		"too large to be exact":   {"n\n9007199254740993\n", data.CSVConfig{}, []string{"line 2", "2^53"}},
		"days":                    {"d\n2024-01-31\n", data.CSVConfig{}, []string{"line 2", "Date"}},
		"a day that is none":      {"d\n2024-02-30\n", data.CSVConfig{Kinds: map[string]data.Kind{"d": data.Date}}, []string{"line 2", "DateLayout"}},
		"an underscore":           {"n\n1\n1_000\n", data.CSVConfig{}, []string{"line 3", "1_000"}},
		"a kind of no column":     {"n\n1\n", data.CSVConfig{Kinds: map[string]data.Kind{"m": data.Number}}, []string{`"m"`}},
		"a field too many":        {"a,b\n1,2,3\n", data.CSVConfig{}, []string{"line 2"}},
		"a quote that stays open": {"a\n\"1\n", data.CSVConfig{}, []string{"line"}},
	} {
		_, err := data.FromCSV(strings.NewReader(c.text), c.c)
		if err == nil {
			t.Errorf("%s: expected an error", name)
			continue
		}
		for _, w := range c.words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: expected %q in: %v", name, w, err)
			}
		}
	}
}

// TestColumnsThatFit: missing words, decimal commas, days and codes that are words.
func TestColumnsThatFit(t *testing.T) {
	gap := float32(-1)
	text := "\ufeffage;height;born;zip;city\n34;1,75;1970-01-11;10115;Rome\n?;2;1969-12-31;00601;Oslo\n"
	d, s, err := data.ReadCSV(strings.NewReader(text), data.CSVConfig{
		Comma: ';', Decimal: ',', Missing: &gap, MissingWords: []string{"?"},
		Kinds: map[string]data.Kind{"born": data.Date, "zip": data.Category},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []float32{34, 1.75, 10, 1, 1, -1, 2, -1, 0, 0}
	for i, v := range features(t, d) {
		if v != want[i] {
			t.Errorf("value %d: got %v, want %v", i, v, want[i])
		}
	}
	if code, ok := s.Code("city", "Rome"); !ok || code != 1 {
		t.Errorf("Rome: got %d, %v", code, ok)
	}
	if code, ok := s.Code("zip", "00601"); !ok || code != 0 {
		t.Errorf("zip 00601: got %d, %v", code, ok)
	}
}

// TestSchemaOfAnotherTable: a word is the same number in every table, in whatever order the
// columns are, also after the schema was saved; one that is new is an error.
func TestSchemaOfAnotherTable(t *testing.T) {
	_, s, err := data.ReadCSV(strings.NewReader("colour,size,kind\nred,1,b\nblue,2,a\ngreen,3,b\n"), data.CSVConfig{Label: "kind"})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "schema.json")
	if err := s.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := data.LoadSchema(path)
	if err != nil {
		t.Fatal(err)
	}
	if again.String() != s.String() {
		t.Errorf("got\n%s\nwant\n%s", again, s)
	}
	for name, s := range map[string]*data.Schema{"as made": s, "as loaded": again} {
		d, err := s.FromCSV(strings.NewReader("size,note,colour\n5,x,red\n6,y,blue\n"), data.CSVConfig{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := fmt.Sprint(features(t, d)); got != "[2 5 0 6]" {
			t.Errorf("%s: got %s", name, got)
		}
		if _, err := s.FromCSV(strings.NewReader("size,colour\n5,pink\n"), data.CSVConfig{}); err == nil || !strings.Contains(err.Error(), "pink") || !strings.Contains(err.Error(), "blue, green, red") {
			t.Errorf("%s: expected an error that names pink and what there is, got %v", name, err)
		}
		if _, err := s.FromCSV(strings.NewReader("size\n5\n"), data.CSVConfig{}); err == nil || !strings.Contains(err.Error(), "colour") {
			t.Errorf("%s: expected an error that names colour, got %v", name, err)
		}
	}
}

// FuzzCSV: whatever a table has in it becomes numbers that are finite or said to be infinite,
// or an error.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,x\n2,y\n", "\ufeffa\n\"1\n\"\n", "a;b\n1,5;2024-01-01\n", "a,a\n1,2\n", "0x1p-2\n1e400\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range []data.CSVConfig{{}, {NoHeader: true, Comma: ';', Decimal: ','}} {
			d, schema, err := data.ReadCSV(strings.NewReader(s), c)
			if err != nil {
				continue
			}
			if d.Len() > len(s) {
				t.Errorf("%d examples of %d bytes", d.Len(), len(s))
			}
			if again, err := schema.FromCSV(strings.NewReader(s), c); err != nil || again.Len() != d.Len() {
				t.Errorf("its own schema does not fit: %v", err)
			}
		}
	})
}

func ExampleReadCSV() {
	table := "colour,weight,fruit\nred,150,apple\nyellow,120,banana\nred,15,cherry\n"
	d, schema, err := data.ReadCSV(strings.NewReader(table), data.CSVConfig{Label: "fruit"})
	if err != nil {
		panic(err)
	}
	fmt.Println(d.Len(), "examples")
	fmt.Print(schema)
	// Output:
	// 3 examples
	// feature  colour               category of 2: red, yellow
	// feature  weight               number
	// label    fruit                category of 3: apple, banana, cherry
}

func ExampleSchema() {
	_, schema, err := data.ReadCSV(strings.NewReader("colour,weight\nred,150\nyellow,120\n"), data.CSVConfig{})
	if err != nil {
		panic(err)
	}
	// Another table, with the same numbers for words.
	d, err := schema.FromCSV(strings.NewReader("weight,colour\n99,yellow\n"), data.CSVConfig{})
	if err != nil {
		panic(err)
	}
	fmt.Println(d.Len(), "example, in which yellow is")
	fmt.Println(schema.Code("colour", "yellow"))
	// Output:
	// 1 example, in which yellow is
	// 1 true
}

func ExampleLoadSchema() {
	_, err := data.LoadSchema("no such file")
	fmt.Println(err)
	// Output:
	// data: open no such file: no such file or directory
}

func ExampleColumn() {
	c := data.Column{Name: "colour", Kind: data.Category, Categories: []string{"blue", "red"}}
	fmt.Println(c.Name, c.Kind, len(c.Categories))
	// Output:
	// colour category 2
}

func ExampleKind() {
	missing := float32(math.NaN())
	c := data.CSVConfig{Kinds: map[string]data.Kind{"zip": data.Category, "born": data.Date}, Missing: &missing}
	fmt.Println(c.Kinds["zip"], c.Kinds["born"])
	// Output:
	// category date
}
