package dialect

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// topics are what commands are about, with the commands, as %help lists them.
var topics = []struct {
	name, about string
	commands    []string
}{
	{"session", "variables and declarations", []string{"%who", "%list", "%remove", "%reset", "%restart", "%run", "%exec", "%%", "%args"}},
	{"shell", "programs, folders and files", []string{"!", "%%bash", "%%script", "%cd", "%pwd", "%env", "%%writefile", "%capture", "%with_inputs", "%with_password"}},
	{"time", "how long code takes, and how it looks", []string{"%time", "%%time", "%timeit", "%prof", "%memprof", "%fmt"}},
	{"show", "a cell as what it is", []string{"%%html", "%%markdown", "%%latex", "%%svg"}},
	{"modules", "packages of others", []string{"%autoget", "%noautoget", "!*"}},
	{"gonb", "programs of GoNB's, apart from the session", []string{"%test", "%wasm", "%goflags", "%track", "%untrack", "%version"}},
}

const helpEnd = `
A cell's variables and functions live on, and the value of its last expression is shown.
NAME? tells of a name, Tab completes it. %help session tells of a topic, %help %who of a command.
`

func help(h Host, s Segment) error {
	name := strings.TrimSpace(s.Args)
	if name == "" {
		var b strings.Builder
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, t := range topics {
			fmt.Fprintf(w, "%s\t%s\n", t.name, strings.Join(t.commands, "  "))
		}
		_ = w.Flush() // to a string
		h.Print(b.String() + helpEnd)
		return nil
	}
	for _, t := range topics {
		if t.name != name {
			continue
		}
		h.Print(t.name + ": " + t.about + "\n\n" + described(t.commands))
		return nil
	}
	at := slices.IndexFunc(table, func(c Command) bool { return c.Name == name || strings.TrimLeft(c.Name, "%!") == name })
	if at < 0 {
		return fmt.Errorf("there is no topic and no command %s%s", name, similar(name))
	}
	h.Print(described([]string{table[at].Name}))
	return nil
}

func described(names []string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, c := range table {
		if slices.Contains(names, c.Name) {
			fmt.Fprintf(w, "%s\t%s\n", strings.TrimSpace(c.Name+" "+c.Args), c.Help)
		}
	}
	_ = w.Flush() // to a string
	return b.String()
}

func helpTopics(_ Names, word string) (list []string) {
	for _, t := range topics {
		if strings.HasPrefix(t.name, word) {
			list = append(list, t.name)
		}
	}
	for _, c := range table {
		if strings.HasPrefix(c.Name, word) {
			list = append(list, c.Name)
		}
	}
	return list
}
