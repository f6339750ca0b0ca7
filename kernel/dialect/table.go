package dialect

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// Commands are all that there are, in the order of %help.
func Commands() []Command { return table }

var table []Command

// add puts commands in their places in the table, which is sorted by name. Each file
// with commands adds its own.
func add(commands ...Command) {
	for _, c := range commands {
		at, found := slices.BinarySearchFunc(table, c, func(a, b Command) int { return strings.Compare(a.Name, b.Name) })
		if found {
			panic("dialect: two commands are named " + c.Name)
		}
		table = slices.Insert(table, at, c)
	}
}

func init() { // functions of the table read it
	add([]Command{
		{Name: "!", Topic: "shell", Args: "COMMAND", Help: "run a command of a shell", Complete: files, Run: func(h Host, s Segment) error { return h.Shell(s.Args, false) }},
		{Name: "!*", Topic: "modules", Args: "COMMAND", Help: "run a command of a shell in the folder of the notebook's module, such as !*go get example.com/module@v1.2.3", Complete: files, Run: func(h Host, s Segment) error { return h.Shell(s.Args, true) }},
		{Name: "%%", Topic: "session", Args: "[ARGUMENT…]", Help: "the main function begins: what follows is local to it"},
		{Name: "%%bash", Topic: "shell", Args: "[--no-raise-error]", Help: "run the cell with bash", Whole: true, Run: runScript},
		{Name: "%%html", Topic: "show", Help: "show the cell as HTML", Whole: true, Run: showAs("text/html")},
		{Name: "%%latex", Topic: "show", Help: "show the cell as LaTeX", Whole: true, Run: showAs("text/latex")},
		{Name: "%%markdown", Topic: "show", Help: "show the cell as Markdown", Whole: true, Run: showAs("text/markdown")},
		{Name: "%%svg", Topic: "show", Help: "show the cell as an SVG picture", Whole: true, Run: showAs("image/svg+xml")},
		{Name: "%%gx", Topic: "gonb", Args: "", Help: "run the cell as a program of GX (GoNB's)", Whole: true, Program: true},
		{Name: "%%script", Topic: "shell", Args: "[--no-raise-error] PROGRAM [ARGUMENT…]", Help: "run the cell with an interpreter", Whole: true, Run: runScript},
		{Name: "%%sh", Topic: "shell", Args: "[--no-raise-error]", Help: "run the cell with sh", Whole: true, Run: runScript},
		{Name: "%%time", Topic: "time", Help: "tell how long the cell takes", Run: alone},
		{Name: "%%writefile", Topic: "shell", Args: "[-a] FILE", Help: "write the cell to a file; -a, to its end", Whole: true, Complete: files, Run: writeFile},
		{Name: "%args", Topic: "session", Args: "[ARGUMENT…]", Help: "set the cell's os.Args"},
		{Name: "%autoget", Topic: "modules", Help: "fetch modules that a cell imports (so it is at the beginning)", Run: func(h Host, _ Segment) error { h.AutoGet(true); return nil }},
		{Name: "%capture", Topic: "shell", Args: "[-a] FILE", Help: "write what the cell prints to a file, too; -a, to its end", Complete: files, Run: capture},
		{Name: "%cd", Topic: "shell", Args: "[FOLDER]", Help: "change the folder, or tell which it is", Complete: folders, Run: changeFolder},
		{Name: "%env", Topic: "shell", Args: "[NAME[=VALUE]]", Help: "set an environment variable, tell its value, or list all", Complete: environment, Run: setEnvironment},
		{Name: "%exec", Topic: "session", Args: "FUNCTION [ARGUMENT…]", Help: "call a function at the cell's end", Complete: declaredNames},
		{Name: "%goflags", Topic: "gonb", Args: "[FLAG…]", Help: "flags for the programs that GoNB builds", Run: toGoNB},
		{Name: "%goworkfix", Topic: "gonb", Help: "add the modules of a go.work to GoNB's go.mod", Run: toGoNB},
		{Name: "%help", Topic: "show", Args: "[TOPIC|COMMAND]", Help: "tell of Gradbook's commands", Complete: helpTopics, Run: help},
		{Name: "%list", Topic: "session", Help: "list what is declared", Run: list},
		{Name: "%ls", Topic: "session", Help: "list what is declared", Run: list},
		{Name: "%main", Topic: "session", Args: "[ARGUMENT…]", Help: "the main function begins: what follows is local to it"},
		{Name: "%memprof", Topic: "time", Help: "show which functions of the cell allocate how much, as a flame chart"},
		{Name: "%noautoget", Topic: "modules", Help: "do not fetch modules that a cell imports", Run: func(h Host, _ Segment) error { h.AutoGet(false); return nil }},
		{Name: "%fmt", Topic: "show", Help: "format the cell's Go, as gofmt does, and do not run it", Whole: true, Run: formatted},
		{Name: "%prof", Topic: "time", Help: "show which functions of the cell take how long, as a flame chart"},
		{Name: "%pwd", Topic: "shell", Help: "tell the folder", Run: func(h Host, _ Segment) error { return folder(h) }},
		{Name: "%remove", Topic: "session", Args: "NAME…", Help: "forget variables or declarations; a method as TYPE.NAME", Complete: declaredNames, Run: remove},
		{Name: "%reset", Topic: "session", Args: "[go.mod]", Help: "forget all variables and declarations; go.mod, the notebook's module", Run: reset},
		{Name: "%restart", Topic: "session", Help: "start the session again", Run: restart},
		{Name: "%rm", Topic: "session", Args: "NAME…", Help: "forget variables or declarations; a method as TYPE.NAME", Complete: declaredNames, Run: remove},
		{Name: "%run", Topic: "session", Args: "FILE.go|NOTEBOOK", Help: "run the cells of a notebook, or of a program, as if they stood here", Complete: files, Run: runFile},
		{Name: "%test", Topic: "gonb", Args: "[FLAG…]", Help: "run the cell's tests and benchmarks, in a program of GoNB's", Program: true},
		{Name: "%time", Topic: "time", Args: "STATEMENT", Help: "run a statement, and tell how long the cell's Go takes"},
		{Name: "%timeit", Topic: "time", Args: "STATEMENT", Help: "run a statement as often as takes a second, and tell how long one run takes"},
		{Name: "%track", Topic: "gonb", Args: "[FOLDER]", Help: "have GoNB follow the Go files of a folder", Complete: folders, Run: toGoNB},
		{Name: "%untrack", Topic: "gonb", Args: "[FOLDER]", Help: "have GoNB follow it no longer", Complete: folders, Run: toGoNB},
		{Name: "%version", Topic: "gonb", Help: "tell GoNB's version", Run: toGoNB},
		{Name: "%wasm", Topic: "gonb", Help: "run the cell in the page, as WebAssembly (GoNB's)", Program: true},
		{Name: "%who", Topic: "session", Args: "[NAME…]", Help: "list the session's variables, with their types, shapes and sizes", Complete: declaredNames, Run: who},
		{Name: "%widgets", Topic: "gonb", Help: "prepare the page for GoNB's own widgets", Program: true},
		{Name: "%widgets_hb", Topic: "gonb", Help: "ask the page whether it is prepared", Program: true},
		{Name: "%with_inputs", Topic: "shell", Help: "have the next command of a shell ask for its input", Run: func(h Host, _ Segment) error { return h.Inputs(false) }},
		{Name: "%with_password", Topic: "shell", Help: "have the next command of a shell ask for a password", Run: func(h Host, _ Segment) error { return h.Inputs(true) }},
	}...)
}

func runFile(h Host, s Segment) error {
	words := Words(s.Args)
	if len(words) != 1 {
		return fmt.Errorf("expected one file, of a notebook (.ipynb) or a program (.go), got %q", s.Args)
	}
	return h.RunFile(words[0])
}

func toGoNB(h Host, s Segment) error { return h.GoNB(s) }

func reset(h Host, s Segment) error {
	switch s.Args {
	case "":
	case "go.mod":
		return h.GoNB(s)
	default:
		return fmt.Errorf("expected nothing or go.mod, got %q", s.Args)
	}
	if err := h.Restart(false); err != nil {
		return err
	}
	h.Print("State reset: all variables and declarations are gone.\n")
	return nil
}

func restart(h Host, _ Segment) error {
	if err := h.Restart(true); err != nil {
		return err
	}
	h.Print("The session has been started again.\n")
	return nil
}

func who(h Host, s Segment) error {
	names := Words(s.Args)
	all, err := h.Variables(names)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(v Variable) bool { return v.Name == name }) {
			return fmt.Errorf("there is no variable %s", name)
		}
	}
	if len(all) == 0 {
		h.Print("The session has no variables.\n")
		return nil
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "Variable\tType\tShape\tSize\tValue")
	for _, v := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.Name, v.Type, v.Shape, v.Size, strings.ReplaceAll(v.Text, "\n", "⏎"))
	}
	_ = w.Flush() // to a string
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	h.Print(strings.Join(lines, "\n"))
	return nil
}

func list(h Host, _ Segment) error {
	all := h.Declarations()
	var kinds []string
	for kind := range all {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	if len(kinds) == 0 {
		h.Print("Nothing is declared.\n")
	}
	for _, kind := range kinds {
		h.Print(kind + ": " + strings.Join(all[kind], ", ") + "\n")
	}
	return nil
}

func remove(h Host, s Segment) error {
	names := Words(s.Args)
	if len(names) == 0 {
		return errors.New("expected names")
	}
	for _, name := range names {
		if !h.Remove(strings.ReplaceAll(name, "~", ".")) { // ~ is GoNB's
			return fmt.Errorf("there is no %s", name)
		}
		h.Print("removed " + name + "\n")
	}
	return nil
}

// setEnvironment is IPython's %env: alone it lists the environment, with a name it tells
// the value, and what is behind the name's = or space is the value, with its spaces.
func setEnvironment(h Host, s Segment) error {
	key, value, set := strings.Cut(s.Args, "=")
	if name, rest, spaced := strings.Cut(s.Args, " "); spaced && !strings.Contains(name, "=") {
		key, value, set = name, rest, true
	}
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	switch {
	case s.Args == "":
		list := os.Environ()
		slices.Sort(list)
		h.Print(strings.Join(list, "\n") + "\n")
		return nil
	case key == "":
		return fmt.Errorf("expected NAME=VALUE or NAME VALUE, got %q", s.Args)
	case !set:
		value, ok := os.LookupEnv(key)
		if !ok {
			return fmt.Errorf("there is no environment variable %s", key)
		}
		h.Print(value + "\n")
		return nil
	}
	if words := Words(value); len(words) == 1 {
		value = words[0] // without its quotes
	}
	if err := h.Setenv(key, value); err != nil {
		return err
	}
	h.Print(fmt.Sprintf("Set: %s=%q\n", key, value))
	return nil
}

func changeFolder(h Host, s Segment) error {
	words := Words(s.Args)
	what := "Current directory"
	switch len(words) {
	case 0:
	case 1:
		if err := h.Chdir(home(words[0])); err != nil {
			return err
		}
		what = "Changed directory to"
	default:
		return fmt.Errorf("expected one folder, got %d", len(words))
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	if what == "Current directory" {
		what += ":"
	}
	h.Print(fmt.Sprintf("%s %q\n", what, dir))
	return nil
}

// alone refuses what follows a command that takes nothing, as IPython does.
func alone(_ Host, s Segment) error {
	if s.Args != "" {
		return fmt.Errorf("nothing may follow on its line, but %q does: put it below", s.Args)
	}
	return nil
}

// fileOf reads [-a] FILE.
func fileOf(s Segment) (file string, toEnd bool, err error) {
	words := Words(s.Args)
	if len(words) > 1 && words[0] == "-a" {
		toEnd, words = true, words[1:]
	}
	if len(words) != 1 {
		return "", false, fmt.Errorf("expected [-a] FILE, got %q", s.Args)
	}
	return home(os.ExpandEnv(words[0])), toEnd, nil
}

func capture(h Host, s Segment) error {
	file, toEnd, err := fileOf(s)
	if err != nil {
		return err
	}
	return h.Capture(file, toEnd)
}

func writeFile(h Host, s Segment) error {
	file, toEnd, err := fileOf(s)
	if err != nil {
		return err
	}
	flags, done := os.O_CREATE|os.O_WRONLY|os.O_TRUNC, "written"
	if toEnd {
		flags, done = os.O_CREATE|os.O_WRONLY|os.O_APPEND, "appended"
	}
	f, err := os.OpenFile(file, flags, 0o666)
	if err != nil {
		return err
	}
	text := s.Body
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	h.Print(fmt.Sprintf("Cell contents %s to %q.\n", done, file))
	return nil
}

// noRaise has a script that fails not be an error, as in IPython.
const noRaise = "--no-raise-error"

func runScript(h Host, s Segment) error {
	argv := Words(s.Args)
	raise := true
	if len(argv) > 0 && argv[0] == noRaise {
		raise, argv = false, argv[1:]
	}
	if s.Name != "%%script" {
		argv = append([]string{strings.TrimPrefix(s.Name, "%%")}, argv...)
	}
	if len(argv) == 0 {
		return errors.New("expected a program to run the cell with")
	}
	text := s.Body
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	err := h.Script(argv, text)
	var status *StatusError
	if !raise && errors.As(err, &status) {
		h.Warn(status.Error() + "\n")
		return nil
	}
	return err
}

// StatusError is a command of a shell, or a script, that has failed.
type StatusError struct{ Status string }

func (e *StatusError) Error() string { return e.Status }
