package language

import (
	"encoding/json"
	"errors"
	"go/importer"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gradbook/gradbook/kernel/cell"
	"github.com/gradbook/gradbook/kernel/dialect"
)

// std are packages that cells of tests import.
type std struct{ types.Importer }

func (std) Names() map[string]string {
	return map[string]string{
		"fmt": "fmt", "os": "os", "io": "io", "encoding/json": "json", "encoding/csv": "csv", "encoding/base64": "base64", "math/rand": "rand", "math/rand/v2": "rand",
		"github.com/gradbook/gradbook/dl": "dl", "github.com/gradbook/gradbook/kernel/session": "session", "github.com/other/dlx": "dlx",
	}
}

// packages are one for all tests: a package is the same wherever it is imported.
var packages = std{importer.ForCompiler(token.NewFileSet(), "gc", nil)}

// notebook returns a notebook that has run cells.
func notebook(t *testing.T, cells ...string) *cell.Notebook {
	t.Helper()
	n := cell.New()
	for i, code := range cells {
		out, err := n.Compose(packages, dialect.Parse(code).Cell(i+1))
		if err != nil {
			t.Fatal(err)
		}
		out.Commit()
	}
	return n
}

// server returns a server that asks the fake gopls, which keeps what it is asked in a file.
func server(t *testing.T, n *cell.Notebook) (s *Server, asked func() []request) {
	t.Helper()
	workspace, dir := t.TempDir(), filepath.Join(t.TempDir(), "language")
	for name, content := range map[string]string{"go.mod": "module notebook\n\ngo 1.26\n", "go.sum": ""} {
		if err := os.WriteFile(filepath.Join(workspace, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log := filepath.Join(t.TempDir(), "asked")
	s, err := New(Config{
		Gopls: func() *exec.Cmd {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), fakeVariable+"="+log)
			return cmd
		},
		Start: func(cmd *exec.Cmd) error {
			t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
			return cmd.Start()
		},
		Workspace: workspace, Dir: dir, Context: n.Context, Packages: packages,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, func() (list []request) {
		content, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			var r request
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			list = append(list, r)
		}
		return list
	}
}

func texts(matches []Match) (list []string) {
	for _, m := range matches {
		list = append(list, m.Text)
	}
	return list
}

// at returns code without its mark |, and where that is.
func at(code string) (string, int) {
	i := strings.Index(code, "|")
	return code[:i] + code[i+1:], i
}

func TestImportPaths(t *testing.T) {
	s, _ := server(t, notebook(t))
	for _, c := range []struct {
		code, replaced string
		want           []string
	}{
		{`import "enc|`, "enc", []string{"encoding/base64", "encoding/csv", "encoding/json"}},
		{`import "encoding/|`, "encoding/", []string{"encoding/base64", "encoding/csv", "encoding/json"}},
		{`import "encoding/j|`, "encoding/j", []string{"encoding/json"}},
		{`import r "math/|`, "math/", []string{"math/rand", "math/rand/v2"}},
		{`import . "fm|`, "fm", []string{"fmt"}},
		{"import (\n\t\"fmt\"\n\t\"enc|\n)", "enc", []string{"encoding/base64", "encoding/csv", "encoding/json"}},
		{"import (\n\t_ \"os|\n)", "os", []string{"os"}},
		{`import ("i|`, "i", []string{"io"}},
		{`import "github.com/gradbook/|`, "github.com/gradbook/", []string{"github.com/gradbook/gradbook/dl"}},
		{`import "nosuch|`, "nosuch", nil},
	} {
		code, offset := at(c.code)
		matches, start, end := s.Complete(code, offset)
		if !slices.Equal(texts(matches), c.want) || code[start:end] != c.replaced || end != offset {
			t.Errorf("%q: got %q for %q, want %q for %q", c.code, texts(matches), code[start:end], c.want, c.replaced)
		}
	}
	// A string elsewhere is none.
	for _, text := range []string{`x := "enc|`, "import \"fmt\"\nfmt.Print(\"enc|", `fmt.Print("|`} {
		code, offset := at(text)
		if _, _, ok := s.importPaths(code, offset); ok {
			t.Errorf("%q is taken for an import", text)
		}
	}
}

// The names of packages come first, our own and Go's, but for what is below kernel.
func TestPackageNames(t *testing.T) {
	s, _ := server(t, notebook(t))
	for prefix, want := range map[string][]string{"d": {"dl"}, "dl": {"dl"}, "js": {"json"}, "ra": {"rand"}, "session": nil, "dlx": nil} {
		if got := texts(s.packages(prefix)); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", prefix, got, want)
		}
	}
	if m := s.packages("ra"); m[0].Signature != "math/rand" || m[0].Kind != "module" {
		t.Errorf("got %+v", m)
	}
}

func TestComplete(t *testing.T) {
	s, asked := server(t, notebook(t, "total := 3", "type point struct{ X int }\nfunc (p point) Double() int { return 2 * p.X }"))
	matches, start, end := s.Complete("x := tot", 8)
	if !slices.Equal(texts(matches), []string{"total", "Total"}) || start != 5 || end != 8 {
		t.Errorf("got %+v, %d, %d", matches, start, end)
	}
	if m := matches[0]; m.Kind != "instance" || m.Signature != "int" {
		t.Errorf("got %+v", m)
	}
	if m := matches[1]; m.Kind != "function" || m.Signature != "(p main.point) int" {
		t.Errorf("got %+v, want the name of its package to be plain", m)
	}
	// What it is asked is a file that declares what the notebook has, and a place in it.
	r := asked()
	last := r[len(r)-1]
	for _, want := range []string{"var total int", "type point struct", "Double() int", "x := tot"} {
		if !strings.Contains(last.Text, want) {
			t.Errorf("%q is not in what is asked:\n%s", want, last.Text)
		}
	}
	line := strings.Split(last.Text, "\n")[last.Line]
	if got := line[:last.Character]; !strings.HasSuffix(got, "x := tot") {
		t.Errorf("it is asked about %q, which is behind %q", line, got)
	}
}

// A place is in UTF-16, of which some characters are two.
func TestPlaceOfWideCharacters(t *testing.T) {
	s, asked := server(t, notebook(t, "total := 3"))
	code, offset := at(`fmt.Println("é字😀", tot|)`)
	s.Complete(code, offset)
	r := asked()
	last := r[len(r)-1]
	line := strings.Split(last.Text, "\n")[last.Line]
	before, _, _ := strings.Cut(line, "tot)")
	want := 0
	for _, c := range before + "tot" {
		want++
		if c > 0xffff {
			want++
		}
	}
	if last.Character != want {
		t.Errorf("it is asked about column %d of %q, want %d", last.Character, line, want)
	}
}

// Commands complete by their table, and gopls does not see them.
func TestCommands(t *testing.T) {
	s, asked := server(t, notebook(t, "alpha := 1", "beta := 2"))
	matches, start, end := s.Complete("%wh", 3)
	if !slices.Contains(texts(matches), "who") && !slices.Contains(texts(matches), "%who") || end != 3 {
		t.Errorf("got %q, %d, %d", texts(matches), start, end)
	}
	if matches, _, _ := s.Complete("%rm al", 6); !slices.Equal(texts(matches), []string{"alpha"}) {
		t.Errorf("got %q", texts(matches))
	}
	s.Complete("!ls -la\n%time tot", 16)
	for _, r := range asked() {
		if strings.Contains(r.Text, "ls -la") || strings.Contains(r.Text, "%time") {
			t.Errorf("gopls is shown a command:\n%s", r.Text)
		}
	}
}

func TestInspect(t *testing.T) {
	s, _ := server(t, notebook(t, "total := 3"))
	for text, want := range map[string]string{
		"fmt.Print|ln(1)":  "documentation of Println",
		"fmt.|Println(1)":  "documentation of Println",
		"fmt.Println(|1)":  "documentation of 1",
		"fmt.Println(|)":   "documentation of Println",
		"f(|":              "documentation of f",
		"|":                "",
		" | ":              "",
		"bad|":             "",
		"nothing|":         "",
		"x := é字|":         "documentation of é字",
		"linked|":          "documentation of linked",
		"strings.ʹp1|name": "documentation of ʹp1name",
	} {
		code, offset := at(text)
		if got := s.Inspect(code, offset); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// If gopls ends, the next question starts another.
func TestGoplsEnds(t *testing.T) {
	s, asked := server(t, notebook(t))
	if got := s.Inspect("die", 1); got != "" {
		t.Errorf("got %q of one that has ended", got)
	}
	<-s.client.done
	if got := s.Inspect("fine", 1); got != "documentation of fine" {
		t.Errorf("got %q of the next", got)
	}
	started := 0
	for _, r := range asked() {
		if r.Method == "initialize" {
			started++
		}
	}
	if started != 2 {
		t.Errorf("it was started %d times, want 2", started)
	}
}

// One that does not start is not tried again at each key that is pressed.
func TestNoGopls(t *testing.T) {
	s, _ := server(t, notebook(t))
	tries := 0
	s.config.Start = func(*exec.Cmd) error { tries++; return errors.New("no such program") }
	for range 3 {
		matches, start, end := s.Complete("dl", 2)
		if !slices.Equal(texts(matches), []string{"dl"}) || start != 0 || end != 2 {
			t.Errorf("got %q, %d, %d", texts(matches), start, end)
		}
		if got := s.Inspect("fmt.Println", 6); got != "" {
			t.Errorf("got %q", got)
		}
	}
	if tries != 1 {
		t.Errorf("it was tried %d times within a moment, want once", tries)
	}
	s.failed = time.Now().Add(-time.Minute)
	s.Complete("dl", 2)
	if tries != 2 {
		t.Error("it is never tried again")
	}
}

func TestSlowAnswer(t *testing.T) {
	s, _ := server(t, notebook(t))
	c, err := s.connect()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.show(s.config.Dir, "package main\nvar slow int\n"); err != nil {
		t.Fatal(err)
	}
	_, err = c.ask("textDocument/hover", map[string]any{"position": map[string]any{"line": 1, "character": 5}}, 50*time.Millisecond)
	if !errors.Is(err, errSlow) {
		t.Errorf("got %v", err)
	}
	// Its late answer is nobody's, and the next question has its own.
	if got := s.Inspect("fine", 1); got != "documentation of fine" {
		t.Errorf("got %q", got)
	}
	if len(c.waiting) != 0 {
		t.Errorf("%d questions still wait", len(c.waiting))
	}
}

// The same text is not sent twice.
func TestShow(t *testing.T) {
	s, asked := server(t, notebook(t))
	for range 3 {
		s.Inspect("fine", 1)
	}
	shown := 0
	for _, r := range asked() {
		if r.Method == "textDocument/didOpen" || r.Method == "textDocument/didChange" {
			shown++
		}
	}
	if shown != 1 {
		t.Errorf("the text was sent %d times, want once", shown)
	}
}

func TestNew(t *testing.T) {
	if _, err := New(Config{Workspace: filepath.Join(t.TempDir(), "nosuch"), Dir: t.TempDir()}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{Workspace: t.TempDir(), Dir: filepath.Join(file, "below")}); err == nil {
		t.Error("a folder was made below a file")
	}
}

func TestWord(t *testing.T) {
	for _, c := range []struct {
		code, before, whole string
	}{
		{"abc|def", "abc", "abcdef"}, {"a.b|c", "b", "bc"}, {"|x", "", "x"}, {"x |", "", ""}, {"é字|_1 +", "é字", "é字_1"}, {"|", "", ""}, {"a|(", "a", "a"},
	} {
		code, offset := at(c.code)
		if start, end := word(code, offset, false); code[start:end] != c.before {
			t.Errorf("%q: got %q, want %q", c.code, code[start:end], c.before)
		}
		if start, end := word(code, offset, true); code[start:end] != c.whole {
			t.Errorf("%q: got %q, want %q", c.code, code[start:end], c.whole)
		}
	}
}
