package gateway

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/tabwriter"

	"github.com/gradbook/gradbook/kernel/engine"
)

func commandFailed(format string, args ...any) *engine.Failure {
	s := fmt.Sprintf(format, args...)
	return &engine.Failure{Name: "CommandError", Value: s, Traceback: []string{"\x1b[0;31mCommandError\x1b[0m: " + s}}
}

// command runs a line that begins with % or !. What concerns the session is done
// here, all else is GoNB's.
func (e *execution) command(line string) *engine.Failure {
	g := e.g
	if strings.HasPrefix(line, "!") {
		return e.foreign(line)
	}
	words := splitWords(strings.TrimPrefix(line, "%"))
	if len(words) == 0 {
		return nil
	}
	args := words[1:]
	switch words[0] {
	case "reset":
		if len(args) > 0 {
			return e.foreign(line)
		}
		if err := g.Engine.Restart(); err != nil {
			return commandFailed("%v", err)
		}
		e.Stream("stdout", "State reset: all variables and declarations are gone.\n")
	case "restart":
		g.gonb.close()
		if err := g.Engine.Restart(); err != nil {
			return commandFailed("%v", err)
		}
		e.Stream("stdout", "The session has been started again.\n")
	case "who":
		e.who(args)
	case "ls", "list":
		e.list()
	case "rm", "remove":
		for _, name := range args {
			if g.Engine.Notebook().Remove(strings.ReplaceAll(name, "~", ".")) {
				e.Stream("stdout", "removed "+name+"\n")
			} else {
				e.Stream("stderr", "there is no "+name+"\n")
			}
		}
	case "env":
		key, value := "", ""
		if len(args) == 1 {
			key, value, _ = strings.Cut(args[0], "=")
		} else if len(args) == 2 {
			key, value = args[0], args[1]
		}
		if key == "" {
			return commandFailed("%%env: expected NAME=VALUE or NAME VALUE, got %q", line)
		}
		if err := os.Setenv(key, value); err != nil {
			return commandFailed("%%env: %v", err)
		}
		g.Engine.Setenv(key, value)
		g.gonb.remember(line)
		e.Stream("stdout", fmt.Sprintf("Set: %s=%q\n", key, value))
	case "cd":
		return e.cd(args, line)
	case "autoget", "noautoget":
		g.Engine.SetAutoGet(words[0] == "autoget")
		g.gonb.remember(line)
	case "capture":
		return e.startCapture(args)
	case "help":
		e.Stream("stdout", help)
		return e.foreign(line)
	default:
		return e.foreign(line)
	}
	return nil
}

const help = `Beside GoNB's commands, which follow, there are in Gradbook:

  %who [NAME…]   the session's variables, with their types, shapes and sizes
  %time STMT     time one statement; %%time in the first line, the cell
  %reset         forget all variables and declarations
  %restart       start the session again
  
Variables, also those of := in cells without %%, live from cell to cell, and the
value of a cell's last expression is shown.

`

func (e *execution) cd(args []string, line string) *engine.Failure {
	if len(args) > 1 {
		return commandFailed("%%cd: expected one folder, got %d", len(args))
	}
	if len(args) == 1 {
		dir := args[0]
		if home, err := os.UserHomeDir(); err == nil && (dir == "~" || strings.HasPrefix(dir, "~/")) {
			dir = filepath.Join(home, dir[1:])
		}
		if err := os.Chdir(dir); err != nil {
			return commandFailed("%%cd: %v", err)
		}
	}
	wd, err := os.Getwd()
	if err != nil {
		return commandFailed("%%cd: %v", err)
	}
	if len(args) == 1 {
		e.g.Engine.Setenv("PWD", wd)
		e.g.gonb.remember(line)
		e.Stream("stdout", fmt.Sprintf("Changed directory to %q\n", wd))
	} else {
		e.Stream("stdout", fmt.Sprintf("Current directory: %q\n", wd))
	}
	return nil
}

func (e *execution) startCapture(args []string) *engine.Failure {
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if len(args) > 1 && args[0] == "-a" {
		flags, args = os.O_CREATE|os.O_WRONLY|os.O_APPEND, args[1:]
	}
	if len(args) != 1 {
		return commandFailed("%%capture: expected [-a] FILE, got %q", strings.Join(args, " "))
	}
	f, err := os.OpenFile(os.ExpandEnv(args[0]), flags, 0o644)
	if err != nil {
		return commandFailed("%%capture: %v", err)
	}
	e.endCapture()
	e.mu.Lock()
	e.capture = f
	e.mu.Unlock()
	return nil
}

// who lists the session's variables.
func (e *execution) who(names []string) {
	live := map[string]bool{}
	for _, name := range e.g.Engine.Notebook().Variables() {
		live[name] = true
	}
	if len(names) == 0 {
		names = nil
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "Variable\tType\tShape\tSize\tValue")
	n := 0
	for _, v := range e.g.Engine.Variables(names) {
		if live[v.Name] {
			n++
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.Name, v.Type, v.Shape, size(v.Bytes), strings.ReplaceAll(v.Text, "\n", "⏎"))
		}
	}
	_ = w.Flush() // to a string
	if n == 0 {
		e.Stream("stdout", "The session has no variables.\n")
		return
	}
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	e.Stream("stdout", strings.Join(lines, "\n"))
}

func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f kB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}

// list lists what is declared.
func (e *execution) list() {
	all := e.g.Engine.Notebook().Declarations()
	var kinds []string
	for kind := range all {
		kinds = append(kinds, kind)
	}
	sort.Strings(kinds)
	if len(kinds) == 0 {
		e.Stream("stdout", "Nothing is declared.\n")
	}
	for _, kind := range kinds {
		e.Stream("stdout", fmt.Sprintf("%s: %s\n", kind, strings.Join(all[kind], ", ")))
	}
}
