package dialect

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// shown is a segment as a test writes it.
func shown(t Text, s Segment) string {
	switch s.Kind {
	case Go:
		return fmt.Sprintf("%d go %q", s.Line, t.Source[s.Start:s.End])
	case Help:
		return fmt.Sprintf("%d help %s", s.Line, s.Args)
	case Whole:
		return fmt.Sprintf("%d whole %s [%s] %q", s.Line, s.Name, s.Args, s.Body)
	}
	return fmt.Sprintf("%d line %s [%s]", s.Line, s.Name, s.Args)
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", nil},
		{"blanks", " \n\t\n", nil},
		{"go", "x := 1", []string{`1 go "x := 1"`}},
		{"command", "%who", []string{"1 line %who []"}},
		{"command and go", "%env A=b\nx := 1\n", []string{"1 line %env [A=b]", `2 go "x := 1\n"`}},
		{"go and command", "x := 1\n!ls -l\ny := 2", []string{`1 go "x := 1\n"`, "2 line ! [ls -l]", `3 go "y := 2"`}},
		{"module's shell", "!*go get example.com/m@v1.2.3", []string{"1 line !* [go get example.com/m@v1.2.3]"}},
		{"goes on", "!echo a \\\n  b\nx", []string{"1 line ! [echo a    b]", `3 go "x"`}},
		{"goes on to the end", "!echo a \\", []string{"1 line ! [echo a]"}},
		{"hidden from gofmt", "//gonb:%who\n// gonb:!ls", []string{"1 line %who []", "2 line ! [ls]"}},
		{"a comment", "// %who\n//%who", []string{`1 go "// %who\n//%who"`}},
		{"raw string", "s := `\n%reset\n!echo hi\n`", []string{"1 go \"s := `\\n%reset\\n!echo hi\\n`\""}},
		{"block comment", "/*\n!echo hi\n%reset\n*/\nx", []string{`1 go "/*\n!echo hi\n%reset\n*/\nx"`}},
		{"open raw string", "s := `\n%reset", []string{"1 go \"s := `\\n%reset\""}},
		{"open comment", "/*\n%reset", []string{`1 go "/*\n%reset"`}},
		{"remainder", "x := 7 %\n3\n", []string{`1 go "x := 7 %\n3\n"`}},
		{"remainder on the next line", "x := (7\n% 3)", []string{`1 go "x := (7\n% 3)"`}},
		{"negation in a block", "if ok {\n!done()\n}", []string{`1 go "if ok {\n!done()\n}"`}},
		{"negation indented", "x := a ||\n  !b", []string{`1 go "x := a ||\n  !b"`}},
		{"negation indented in a block", "if ok {\n\t!done()\n}", []string{`1 go "if ok {\n\t!done()\n}"`}},
		{"command indented", "x := 1\n  %who\n\t!ls", []string{`1 go "x := 1\n  "`, "2 line %who []", "3 line ! [ls]"}},
		{"command on a line of Go", "x := 1; %who", []string{`1 go "x := 1; %who"`}},
		{"negation that goes on", "x := a ||\n!b", []string{`1 go "x := a ||\n!b"`}},
		{"after a block", "func f() {\n}\n%who", []string{`1 go "func f() {\n}\n"`, "3 line %who []"}},
		{"after a comment", "x := 1 /* a\nb */\n%who", []string{`1 go "x := 1 /* a\nb */\n"`, "3 line %who []"}},
		{"too many closed", "}\n%who", []string{`1 go "}\n"`, "2 line %who []"}},
		{"whole", "%%bash\necho a\n%who\n", []string{`1 whole %%bash [] "echo a\n%who\n"`}},
		{"whole behind go", "x := 1\n%%sh\nls", []string{`1 go "x := 1\n"`, `2 whole %%sh [] "ls"`}},
		{"script", "%%script python3 -u\nprint(1)", []string{`1 whole %%script [python3 -u] "print(1)"`}},
		{"unknown whole", "%%ruby\nputs 1", []string{`1 whole %%ruby [] "puts 1"`}},
		{"unknown", "%nosuch a b", []string{"1 line %nosuch [a b]"}},
		{"main", "var x = 1\n%%\nx := 2", []string{`1 go "var x = 1\n"`, "2 line %% []", `3 go "x := 2"`}},
		{"time of the cell", "%%time\nf()", []string{"1 line %%time []", `2 go "f()"`}},
		{"time of a statement", "%time f()\n", []string{"1 line %time []", `1 go "f()\n"`}},
		{"times of a statement", "%timeit f()\n", []string{"1 line %timeit []", `1 go "f()\n"`}},
		{"time of a statement of two lines", "%time f(\n1)", []string{"1 line %time []", `1 go "f(\n1)"`}},
		{"time of a loop", "%time for i := range 3 { f(i) }", []string{"1 line %time []", `1 go "for i := range 3 { f(i) }"`}},
		{"carriage returns", "%who\r\nx := 1\r\n", []string{"1 line %who []", `2 go "x := 1\n"`}},
		{"byte order mark", "\uFEFF%who", []string{"1 line %who []"}},
		{"help", "x?", []string{"1 help x"}},
		{"help before", "?x", []string{"1 help x"}},
		{"help twice", "strings.Map??", []string{"1 help strings.Map"}},
		{"help of two words", "a b?", []string{`1 go "a b?"`}},
		{"bad letters", "x := \"\x00\xff\n%who", []string{"1 go \"x := \\\"\\x00\\xff\\n\"", "2 line %who []"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := Parse(c.text)
			var got []string
			for _, s := range text.Segments {
				got = append(got, shown(text, s))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q\n got %q\nwant %q", c.text, got, c.want)
			}
		})
	}
}

func TestCell(t *testing.T) {
	for _, c := range []struct {
		text, want string
		main       int // where main begins, -1 if it does not
		call       string
		hasGo      bool
	}{
		{"x := 1", "x := 1", -1, "", true},
		{"%who\nx", "    \nx", -1, "", true},
		{"!echo ä\nx", "        \nx", -1, "", true},
		{"a\n%%\nb", "a\n  \nb", 5, "", true},
		{"%main -v\nb", "        \nb", 9, "", true},
		{"%exec f a\nfunc f() {}", "         \nfunc f() {}", -1, "f", true},
		{"%exec f", "       ", -1, "f", true},
		{"%%bash\nx := 1", "      \n      ", -1, "", false},
		{"x?", "  ", -1, "", false},
		{"%time f()", "      f()", -1, "", true},
		{"", "", -1, "", false},
	} {
		text := Parse(c.text)
		cell := text.Cell(7)
		if cell.Text != c.want || cell.Number != 7 || cell.Call != c.call || cell.HasMain != (c.main >= 0) || cell.HasMain && cell.Main != c.main {
			t.Errorf("%q: got %+v, want %+v", c.text, cell, c)
		}
		if text.HasGo() != c.hasGo {
			t.Errorf("%q: HasGo is %v", c.text, !c.hasGo)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		text string
		want Options
	}{
		{"x", Options{}},
		{"%% a b\nx", Options{Args: []string{"a", "b"}}},
		{"%main -n 3\nx", Options{Args: []string{"-n", "3"}}},
		{`%args "a b" c`, Options{Args: []string{"a b", "c"}}},
		{"%exec f a", Options{Args: []string{"a"}}},
		{"%exec", Options{Args: []string{}}},
		{"%time f()", Options{Timed: true}},
		{"%%time\nf()", Options{Timed: true}},
		{"%test -v\nx", Options{Program: true}},
		{"%wasm\nx", Options{Program: true}},
	} {
		got := Parse(c.text).Options()
		if !slices.Equal(got.Args, c.want.Args) || got.Timed != c.want.Timed || got.Program != c.want.Program {
			t.Errorf("%q: got %+v, want %+v", c.text, got, c.want)
		}
	}
}

func TestCommandAt(t *testing.T) {
	for _, c := range []struct {
		text string // with a | where the cursor is
		line string
		ok   bool
	}{
		{"%wh|", "%wh", true},
		{"x := 1\n%wh|", "%wh", true},
		{"%w|ho", "%w", true},
		{"|%who", "", true},
		{"!cat a \\\n b|", "!cat a \\\n b", true},
		{"!ls\nx|", "", false},
		{"%%bash\nec|", "", false},
		{"%%ba|sh\nec", "%%ba", true},
		{"s := `\n%wh|", "", false},
		{"x|", "", false},
		{"//gonb:%w|", "%w", true},
	} {
		before, after, _ := strings.Cut(c.text, "|")
		line, ok := Parse(before + after).CommandAt(len(before))
		if ok != c.ok || line != c.line {
			t.Errorf("%q: got %q, %v", c.text, line, ok)
		}
	}
}

func TestStatus(t *testing.T) {
	for _, c := range []struct{ text, status, indent string }{
		{"", "complete", ""},
		{"x := 1", "complete", ""},
		{"for {", "incomplete", "    "},
		{"f(", "incomplete", "    "},
		{"x := `a", "incomplete", ""},
		{"/* a", "incomplete", ""},
		{"x := )", "invalid", ""},
		{"}", "invalid", ""},
		{"package main", "complete", ""},
		{"%%bash\nfor x in a b; do", "complete", ""},
		{"%%bash", "complete", ""},
		{"!echo \\", "incomplete", ""},
		{"!echo", "complete", ""},
		{"%time f(", "incomplete", "    "},
		{"%time f()", "complete", ""},
		{"%nosuch", "complete", ""},
		{"x?", "complete", ""},
		{"type t struct {\r\n", "incomplete", "    "},
		{"x :=", "incomplete", "    "},
		{"a +", "incomplete", "    "},
	} {
		status, indent := Status(c.text)
		if status != c.status || status == "incomplete" && strings.ReplaceAll(indent, "\t", "    ") != c.indent {
			t.Errorf("%q: got %s %q, want %s %q", c.text, status, indent, c.status, c.indent)
		}
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"  a \t b ", []string{"a", "b"}},
		{`"a b" c`, []string{"a b", "c"}},
		{`a"b c"d`, []string{"ab cd"}},
		{`""`, []string{""}},
		{`"a\"b" "\n\t\\"`, []string{`a"b`, "\n\t\\"}},
		{`a\b`, []string{`a\b`}},
	} {
		if got := Words(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

// FuzzParse says what holds of every text: the segments follow one another, what is
// between them is blank, and the cell has each byte of Go where the text has it.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"x := 1\n%who\n!ls \\\n-l\ny", "s := `\n%x\n`", "%%bash\nls", "a\n%%\nb", "%time f(\n)", "x?", "\uFEFF%a\r\nb", "/*\n", "}\n%%x\n!"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := Parse(s)
		blank := text.Blank()
		if len(blank) != len(text.Source) || strings.Count(blank, "\n") != strings.Count(text.Source, "\n") {
			t.Fatalf("%q became %q", text.Source, blank)
		}
		end := 0
		for _, p := range text.Segments {
			if p.Start < end || p.End < p.Start || p.End > len(text.Source) {
				t.Fatalf("%q: %+v after %d", text.Source, p, end)
			}
			if strings.TrimSpace(text.Source[end:p.Start]) != "" {
				t.Fatalf("%q: %q is lost", text.Source, text.Source[end:p.Start])
			}
			if p.Kind == Go && blank[p.Start:p.End] != text.Source[p.Start:p.End] {
				t.Fatalf("%q became %q", text.Source, blank)
			}
			if p.Line != strings.Count(text.Source[:p.Start], "\n")+1 {
				t.Fatalf("%q: %+v", text.Source, p)
			}
			end = p.End
		}
		if strings.TrimSpace(text.Source[end:]) != "" {
			t.Fatalf("%q: %q is lost", text.Source, text.Source[end:])
		}
		Status(s)
		text.Options()
	})
}

// TestBenchmarked: the statement behind %timeit is run in Go's harness, and no other.
func TestBenchmarked(t *testing.T) {
	const head, tail = "fmt.Println(testing.Benchmark(func(bench_ *testing.B) { for bench_.Loop() { ", " } }))"
	for text, want := range map[string]string{
		"%timeit f()":               "        " + head + "f()" + tail,
		"x := 1\n%timeit f(\nx)\ny": "x := 1\n        " + head + "f(\nx)" + tail + "\ny",
		"%timeit a(); b()":          "        " + head + "a()" + tail + "; b()",
		"%time f()":                 "      f()",
	} {
		p := Parse(text)
		if got := p.Benchmarked(p.Cell(1)).Text; got != want {
			t.Errorf("%q: expected %q, got %q", text, want, got)
		}
	}
}
