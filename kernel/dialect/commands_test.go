package dialect

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// recorder is a host that writes down what commands ask for.
type recorder struct {
	calls  []string
	out    strings.Builder
	errs   strings.Builder
	vars   []Variable
	fail   error
	absent string // what Remove does not know
}

func (r *recorder) call(format string, args ...any) error {
	r.calls = append(r.calls, fmt.Sprintf(format, args...))
	return r.fail
}

func (r *recorder) Print(text string)         { r.out.WriteString(text) }
func (r *recorder) Warn(text string)          { r.errs.WriteString(text) }
func (r *recorder) Display(mime, text string) { _ = r.call("display %s %q", mime, text) }
func (r *recorder) Replace(text string)       { _ = r.call("replace %q", text) }
func (r *recorder) Restart(all bool) error    { return r.call("restart %v", all) }
func (r *recorder) Variables(names []string) ([]Variable, error) {
	return r.vars, r.call("variables %q", names)
}

func (r *recorder) Declarations() map[string][]string {
	return map[string][]string{"types": {"point"}, "functions": {"double", "quad"}}
}

func (r *recorder) Remove(name string) bool {
	_ = r.call("remove %s", name)
	return name != r.absent
}
func (r *recorder) Setenv(key, value string) error { return r.call("setenv %s %q", key, value) }
func (r *recorder) Chdir(dir string) error         { return r.call("chdir %s", dir) }
func (r *recorder) AutoGet(on bool)                { _ = r.call("autoget %v", on) }
func (r *recorder) Capture(file string, toEnd bool) error {
	return r.call("capture %s %v", file, toEnd)
}

func (r *recorder) Shell(command string, inModule bool) error {
	return r.call("shell %s %v", command, inModule)
}

func (r *recorder) Script(argv []string, text string) error {
	return r.call("script %q %q", argv, text)
}
func (r *recorder) Inputs(password bool) error { return r.call("inputs %v", password) }
func (r *recorder) RunFile(path string) error  { return r.call("file %s", path) }
func (r *recorder) GoNB(s Segment) error       { return r.call("gonb %s %s", s.Name, s.Args) }

// run does the commands of a cell, up to the first that fails.
func run(h Host, text string) error {
	for _, s := range Parse(text).Segments {
		if s.Kind == Line || s.Kind == Whole {
			if err := Run(h, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestRun(t *testing.T) {
	home, err := os.UserHomeDir()
	if err != nil {
		t.Skip(err)
	}
	t.Setenv("GRADBOOK_TEST", "here")
	for _, c := range []struct{ text, call, out string }{
		{"!ls -l", "shell ls -l false", ""},
		{"!*go get m", "shell go get m true", ""},
		{"%%bash\nls", `script ["bash"] "ls\n"`, ""},
		{"%%sh -e\nls\n", `script ["sh" "-e"] "ls\n"`, ""},
		{"%%script python3 -u\nprint(1)", `script ["python3" "-u"] "print(1)\n"`, ""},
		{"%%html\n<b>x</b>", `display text/html "<b>x</b>"`, ""},
		{"%%latex\n$x^2$", `display text/latex "$x^2$"`, ""},
		{"%%markdown\n*x*", `display text/markdown "*x*"`, ""},
		{"%fmt\n%time f()\nx:=1\nfunc f( ){}", `replace "%time f()\nx := 1\nfunc f() {}"`, ""},
		{"%fmt\n!ls  -l\nx:=1", `replace "!ls  -l\nx := 1"`, ""},
		{"%pwd", "", "/"},
		{"%autoget", "autoget true", ""},
		{"%noautoget", "autoget false", ""},
		{"%env A=b c", `setenv A "b c"`, "Set: A=\"b c\"\n"},
		{"%env A b  c=d", `setenv A "b  c=d"`, "Set: A=\"b  c=d\"\n"},
		{"%env A=b=c", `setenv A "b=c"`, "Set: A=\"b=c\"\n"},
		{"%env GRADBOOK_TEST", "", "here\n"},
		{"%env", "", "\nGRADBOOK_TEST=here\n"},
		{"%env A=b", `setenv A "b"`, "Set: A=\"b\"\n"},
		{"%env A b", `setenv A "b"`, "Set: A=\"b\"\n"},
		{`%env A="b c"`, `setenv A "b c"`, "Set: A=\"b c\"\n"},
		{"%env A=", `setenv A ""`, "Set: A=\"\"\n"},
		{"%cd ~/x", "chdir " + home + "/x", "Changed directory to"},
		{"%capture out.txt", "capture out.txt false", ""},
		{"%capture -a $GRADBOOK_TEST/out.txt", "capture here/out.txt true", ""},
		{"%reset", "restart false", "State reset: all variables and declarations are gone.\n"},
		{"%reset go.mod", "gonb %reset go.mod", ""},
		{"%restart", "restart true", "The session has been started again.\n"},
		{"%rm x", "remove x", "removed x\n"},
		{"%remove point~area", "remove point.area", "removed point~area\n"},
		{"%who", "variables []", "The session has no variables.\n"},
		{"%list", "", "functions: double, quad\ntypes: point\n"},
		{"%ls", "", "functions: double, quad\ntypes: point\n"},
		{"%with_inputs", "inputs false", ""},
		{"%with_password", "inputs true", ""},
		{"%goflags -race", "gonb %goflags -race", ""},
		{"%track ./pkg", "gonb %track ./pkg", ""},
		{"%untrack", "gonb %untrack ", ""},
		{"%goworkfix", "gonb %goworkfix ", ""},
		{"%version", "gonb %version ", ""},
		{"%args a b", "", ""}, // it concerns the cell's Go
		{"%time f()", "", ""},
		{"%help", "", "%help session tells of a topic"},
		{"%help session", "", "%who [NAME…]"},
		{"%help %who", "", "%who [NAME…]  list the session's variables"},
		{"%help cd", "", "%cd [FOLDER]"},
		{"%run a.ipynb", "file a.ipynb", ""},
	} {
		r := &recorder{}
		if err := run(r, c.text); err != nil {
			t.Errorf("%s: %v", c.text, err)
		}
		if got := strings.Join(r.calls, "; "); got != c.call {
			t.Errorf("%s: calls are %q, want %q", c.text, got, c.call)
		}
		if !strings.Contains(r.out.String(), c.out) || c.out == "" && r.out.Len() > 0 {
			t.Errorf("%s: prints %q, want %q", c.text, r.out.String(), c.out)
		}
	}
}

func TestRunFails(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"%help nosuch", "%help: there is no topic and no command nosuch"},
		{"%run", "%run: expected one file, of a notebook (.ipynb) or a program (.go), got \"\""},
		{"%nosuch", "there is no command %nosuch; %help lists them"},
		{"%whoo", "there is no command %whoo; is it %who?; %help lists them"},
		{"%%ruby\nputs 1", "there is no command %%ruby; %help lists them"},
		{"%who x y", `%who: there is no variable x`},
		{"%env GRADBOOK_NOSUCH", `%env: there is no environment variable GRADBOOK_NOSUCH`},
		{"%env =b", `%env: expected NAME=VALUE or NAME VALUE, got "=b"`},
		{"%cd a b", "%cd: expected one folder, got 2"},
		{"%capture", `%capture: expected [-a] FILE, got ""`},
		{"%capture a b", `%capture: expected [-a] FILE, got "a b"`},
		{"%%writefile\na", `%%writefile: expected [-a] FILE, got ""`},
		{"%%script\na", "%%script: expected a program to run the cell with"},
		{"%%script --no-raise-error\na", "%%script: expected a program to run the cell with"},
		{"%reset all", `%reset: expected nothing or go.mod, got "all"`},
		{"%rm", "%rm: expected names"},
		{"%rm a gone b", "%rm: there is no gone"},
	} {
		r := &recorder{absent: "gone"}
		if err := run(r, c.text); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.text, err, c.want)
		}
	}
	// A command that wants the rest of a cell cannot be one of its lines.
	err := Run(&recorder{}, Segment{Kind: Line, Name: "%%bash"})
	if err == nil || !strings.Contains(err.Error(), "only possible in the first line") {
		t.Error(err)
	}
	// What the host says goes on, whatever it is.
	fail := errors.New("the disk is full")
	for _, text := range []string{"!ls", "%%sh\nls", "%env A=b", "%cd a", "%capture a", "%reset", "%reset go.mod", "%restart", "%who", "%track", "%with_inputs"} {
		if err := run(&recorder{fail: fail}, text); !errors.Is(err, fail) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// A script that fails is an error, unless it is asked not to be.
func TestScriptStatus(t *testing.T) {
	failed := &StatusError{"exit status 3"}
	if err := run(&recorder{fail: failed}, "%%bash\nexit 3"); !errors.Is(err, failed) {
		t.Error(err)
	}
	r := &recorder{fail: failed}
	if err := run(r, "%%bash --no-raise-error\nexit 3"); err != nil || r.errs.String() != "exit status 3\n" {
		t.Error(err, r.errs.String())
	}
	other := errors.New("there is no bash")
	if err := run(&recorder{fail: other}, "%%bash --no-raise-error\nexit 3"); !errors.Is(err, other) {
		t.Error(err)
	}
}

func TestWho(t *testing.T) {
	r := &recorder{vars: []Variable{
		{"x", "int", "", "8 B", "3"},
		{"weights", "*tensors.Tensor", "(Float32)[2 2]", "16 B", "a\nb"},
	}}
	if err := run(r, "%who"); err != nil {
		t.Fatal(err)
	}
	want := `Variable   Type              Shape            Size   Value
x          int                                8 B    3
weights    *tensors.Tensor   (Float32)[2 2]   16 B   a⏎b
`
	if r.out.String() != want {
		t.Errorf("got\n%s", r.out.String())
	}
}

func TestWriteFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.txt")
	for _, c := range []struct{ text, content string }{
		{"%%writefile " + file + "\none", "one\n"},
		{"%%writefile -a " + file + "\ntwo\n", "one\ntwo\n"},
		{"%%writefile " + file + "\n%who\n", "%who\n"},
		{"%%writefile " + file, "\n"},
	} {
		r := &recorder{}
		if err := run(r, c.text); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(file)
		if err != nil || string(content) != c.content {
			t.Errorf("%q: the file has %q, %v", c.text, content, err)
		}
		if !strings.Contains(r.out.String(), file) {
			t.Errorf("%q: prints %q", c.text, r.out.String())
		}
	}
	if err := run(&recorder{}, "%%writefile "+file+"/b\nx"); err == nil {
		t.Error("a file within a file")
	}
}

// Every entry of the table says what it does, and does it or concerns a cell's Go.
func TestTable(t *testing.T) {
	inOptions := strings.Fields("%% %main %args %exec %time %timeit %prof %memprof %test %wasm %widgets %widgets_hb %%gx")
	var names []string
	for _, c := range Commands() {
		names = append(names, c.Name)
		if !slices.ContainsFunc(topics, func(t struct{ name, about string }) bool { return t.name == c.Topic }) {
			t.Errorf("%s: there is no topic %q", c.Name, c.Topic)
		}
		if c.Help == "" {
			t.Errorf("%s has no help", c.Name)
		}
		if (c.Run == nil) != slices.Contains(inOptions, c.Name) {
			t.Errorf("%s: nothing does it, or two things do", c.Name)
		}
		if found, ok := Lookup(c.Name); !ok || found.Help != c.Help {
			t.Errorf("%s is not found", c.Name)
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("%%help is not sorted: %q", names)
	}
	if len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("a name is there twice: %q", names)
	}
}

type declared []string

func (d declared) Declared() []string { return slices.Clone(d) }

func TestComplete(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"data.csv", "data.txt", ".hidden"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "deep"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	t.Setenv("HOME", dir)
	t.Setenv("GRADBOOK_TEST_1", "")
	for _, c := range []struct {
		line     string
		want     []string
		replaced int
	}{
		{"%who", []string{"%who"}, 4},
		{"%w", []string{"%wasm", "%who", "%widgets", "%widgets_hb", "%with_inputs", "%with_password"}, 2},
		{"%%sc", []string{"%%script"}, 4},
		{"%nosuch", nil, 7},
		{"%nosuch a", nil, 0},
		{"%who ", []string{"count", "x"}, 0},
		{"%rm count x", []string{"x"}, 1},
		{"%cd d", []string{"deep/"}, 1},
		{"!cat d", []string{"data.csv", "data.txt", "deep/"}, 1},
		{"!cat ", []string{"data.csv", "data.txt", "deep/"}, 0},
		{"!cat .h", []string{".hidden"}, 2},
		{"!cat < ./da", []string{"./data.csv", "./data.txt"}, 4},
		{"!cat " + dir + "/de", []string{dir + "/deep/"}, len(dir) + 3},
		{"!cat ~/data.c", []string{"~/data.csv"}, 8},
		{"!*ls d", []string{"data.csv", "data.txt", "deep/"}, 1},
		{"%capture -a da", []string{"data.csv", "data.txt"}, 2},
		{"%env GRADBOOK_TEST_", []string{"GRADBOOK_TEST_1"}, 14},
		{"!cat nowhere/a", nil, 9},
		{"%help se", []string{"session"}, 2},
	} {
		got, replaced := Complete(declared{"count", "x"}, c.line)
		if !slices.Equal(got, c.want) || replaced != c.replaced {
			t.Errorf("%q: got %q, %d, want %q, %d", c.line, got, replaced, c.want, c.replaced)
		}
	}
}
