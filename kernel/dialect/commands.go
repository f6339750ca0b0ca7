package dialect

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Command is one that a cell may give: an entry of the table, which is all that there is
// to say of it.
type Command struct {
	// Name is its name with its signs, Args how it is used, Help what it is for.
	Name, Args, Help string
	// Topic is the one of %help's under which it is listed.
	Topic string
	// Whole is true of one that takes all of the cell that follows it.
	Whole bool
	// Program is true of one that makes its cell a program of GoNB's.
	Program bool
	// Complete returns what may follow, beginning with word; nil if nobody knows.
	Complete func(n Names, word string) []string
	// Run does it; nil if it concerns how the cell's Go is run, see Options.
	Run func(h Host, s Segment) error
}

// Names are those that a command may be given.
type Names interface {
	// Declared are the names of variables and declarations.
	Declared() []string
}

// Host is the kernel, as commands see it.
type Host interface {
	// Print and Warn write to the cell's standard output and error.
	Print(text string)
	Warn(text string)
	// Display shows a text of a MIME type.
	Display(mime, text string)
	// Replace puts a text in the place of the cell's.
	Replace(text string)
	// Restart begins a new session, and forgets all declarations; with all, GoNB and its
	// module are new, too.
	Restart(all bool) error
	// Variables are the session's, or those of names.
	Variables(names []string) ([]Variable, error)
	// Declarations are the names of what is declared, by kind.
	Declarations() map[string][]string
	// Remove forgets a declaration or a variable, and says whether there was one.
	Remove(name string) bool
	// Setenv and Chdir set the environment and the folder of the kernel and the session.
	Setenv(key, value string) error
	Chdir(dir string) error
	// AutoGet says whether missing modules are fetched.
	AutoGet(on bool)
	// Capture also writes what the cell prints to a file.
	Capture(file string, toEnd bool) error
	// Shell runs a command of a shell; inModule, in the folder of the notebook's module.
	Shell(command string, inModule bool) error
	// Script runs an interpreter with a text as its input.
	Script(argv []string, text string) error
	// RunFile runs the cells of a notebook's or a program's file.
	RunFile(path string) error
	// Inputs has the next command of a shell ask for its input.
	Inputs(password bool) error
	// GoNB has GoNB do a command.
	GoNB(s Segment) error
}

// Variable is a session variable, as a person is told of it.
type Variable struct{ Name, Type, Shape, Size, Text string }

// Lookup returns a command by its name.
func Lookup(name string) (Command, bool) {
	i := slices.IndexFunc(Commands(), func(c Command) bool { return c.Name == name })
	if i < 0 {
		return Command{}, false
	}
	return Commands()[i], true
}

// Run does a command. One that there is not is an error that says so.
func Run(h Host, s Segment) error {
	c, ok := Lookup(s.Name)
	switch {
	case !ok:
		return fmt.Errorf("there is no command %s%s; %%help lists them", s.Name, similar(s.Name))
	case c.Whole && s.Kind != Whole:
		return fmt.Errorf("%s is only possible in the first line of a cell", s.Name)
	case c.Run == nil:
		return nil
	}
	if err := c.Run(h, s); err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	return nil
}

// similar names the command that was meant, if one is close.
func similar(name string) string {
	best, least := "", 3
	for _, c := range Commands() {
		if d := levenshtein.ComputeDistance(name, c.Name); d < least {
			best, least = c.Name, d
		}
	}
	if best == "" {
		return ""
	}
	return "; is it " + best + "?"
}

// Options are how a cell's Go is run.
type Options struct {
	// Args are the program's arguments.
	Args []string
	// Timed says that the time that it takes is told.
	Timed bool
	// Profile is "cpu" or "memory" if what the cell's Go takes is shown.
	Profile string
	// Program says that GoNB runs the cell as a program of its own.
	Program bool
}

// Options returns what the cell's commands say of its Go.
func (t Text) Options() Options {
	var o Options
	for _, s := range t.Segments {
		if s.Kind != Line {
			continue
		}
		switch s.Name {
		case "%%", "%main", "%args":
			o.Args = Words(s.Args)
		case "%exec":
			o.Args = Words(s.Args)[min(1, len(Words(s.Args))):]
		case "%time", "%%time":
			o.Timed = true
		case "%prof":
			o.Profile = "cpu"
		case "%memprof":
			o.Profile = "memory"
		}
		if c, ok := Lookup(s.Name); ok && c.Program {
			o.Program = true
		}
	}
	return o
}

// Complete returns the commands, or the arguments of one, that a line may go on with
// at its end, and how many bytes of it they replace.
func Complete(n Names, line string) (matches []string, replaced int) {
	name, args := cutWord(line)
	if strings.HasPrefix(line, "!") {
		name, args = "!", strings.TrimPrefix(strings.TrimPrefix(line, "!"), "*")
	} else if len(name) == len(line) {
		for _, c := range Commands() {
			if strings.HasPrefix(c.Name, line) && strings.HasPrefix(c.Name, "%") {
				matches = append(matches, c.Name)
			}
		}
		return matches, len(line)
	}
	c, _ := Lookup(name)
	if c.Complete == nil {
		return nil, 0
	}
	word := args[strings.LastIndexAny(args, " \t=\"'")+1:]
	return c.Complete(n, word), len(word)
}

// declaredNames complete the names of variables and declarations.
func declaredNames(n Names, word string) []string {
	return slices.DeleteFunc(n.Declared(), func(name string) bool { return !strings.HasPrefix(name, word) })
}

// Files are those whose paths begin with a word, folders with a slash behind.
func Files(word string) []string { return paths(word, false) }

// files complete the names of files, folders those of folders.
func files(_ Names, word string) []string { return paths(word, false) }

func folders(_ Names, word string) []string { return paths(word, true) }

func paths(word string, onlyFolders bool) (list []string) {
	dir, begin := filepath.Split(word)
	entries, err := os.ReadDir(home(filepath.Clean("./" + dir)))
	if filepath.IsAbs(dir) || strings.HasPrefix(dir, "~") {
		entries, err = os.ReadDir(home(dir))
	}
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), begin) || strings.HasPrefix(e.Name(), ".") && begin == "" {
			continue
		}
		if info, err := os.Stat(filepath.Join(home(dir), e.Name())); err == nil && info.IsDir() {
			list = append(list, dir+e.Name()+"/")
		} else if !onlyFolders {
			list = append(list, dir+e.Name())
		}
	}
	return list
}

// home is a path with the user's folder in the place of a ~ at its beginning.
func home(path string) string {
	if path != "~" && !strings.HasPrefix(path, "~/") {
		return path
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return path
	}
	return filepath.Join(dir, path[1:])
}

func environment(_ Names, word string) (list []string) {
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, word) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}
